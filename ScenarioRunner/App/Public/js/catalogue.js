// The catalogue of experiments, and what is wrong with the files that do not load: from the runner into the store.

import * as api from "./api.js";

const READ_AGAIN_AFTER_MS = 4000;
let newest = 0;

/** Reads all of it; where that fails, once more after a while, as long as the runner is there. */
export async function readExperiments(store) {
  const number = (newest += 1);
  try {
    const [experiments, { problems }] = await Promise.all([api.get("/api/experiments"), api.get("/api/experiments/problems")]);
    // Answers may overtake one another.
    if (number === newest) store.setExperiments(experiments, problems);
  } catch (problem) {
    store.setExperimentsUnread(problem);
    setTimeout(() => number === newest && store.connection === "live" && readExperiments(store), READ_AGAIN_AFTER_MS);
  }
}
