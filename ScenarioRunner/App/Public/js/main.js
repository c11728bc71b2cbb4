// The page: one store, one stream of events into it, a view a section out of it.

import * as api from "./api.js";
import { Store } from "./store.js";
import { connect } from "./stream.js";
import { mountExperiments } from "./views/experiments.js";
import { mountFailures } from "./views/failures.js";
import { mountHalt } from "./views/halt.js";
import { mountHeader } from "./views/header.js";
import { mountLive } from "./views/live.js";
import { mountLocust } from "./views/locust.js";
import { mountRuns } from "./views/runs.js";

const store = new Store();

async function readExperiments() {
  try {
    store.setExperiments(await api.get("/api/experiments"));
  } catch (problem) {
    store.setExperimentsProblem(problem);
  }
}

async function readLocust() {
  try {
    store.setLocustFiles(await api.get("/api/locust"));
  } catch (problem) {
    store.setLocustFiles({ files: [], obstacle: problem.message, current: null, runs: [] });
  }
}

function readAll() {
  readExperiments();
  readLocust();
}

const views = [
  mountHeader(store),
  mountHalt(store),
  mountLive(store),
  mountExperiments(store, readExperiments),
  mountLocust(store),
  mountFailures(store),
  mountRuns(store),
];

readAll();
connect(store, { onReturn: readAll });

// Countdowns and the charts' right edge move once a second, and not at all while nobody looks.
setInterval(() => {
  if (!document.hidden) for (const view of views) view.tick();
}, 1000);
