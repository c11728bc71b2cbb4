// The catalogue of experiments, and what is wrong with the files that do not load: from the runner into the store.

import * as api from "./api.js";

export async function readExperiments(store) {
  try {
    const [experiments, { problems }] = await Promise.all([api.get("/api/experiments"), api.get("/api/experiments/problems")]);
    store.setExperiments(experiments, problems);
  } catch (problem) {
    store.setExperimentsUnread(problem);
  }
}
