// The page: one store, one stream of events into it, a shell that is always there, and one view at a time.

import * as api from "./api.js";
import { startRouter } from "./router.js";
import { mountActivity } from "./shell/activity.js";
import { mountGovernance } from "./shell/governance.js";
import { mountHalt } from "./shell/halt.js";
import { Store } from "./store.js";
import { connect } from "./stream.js";

const store = new Store();
const shell = [mountGovernance(store), mountHalt(store), mountActivity(store)];
const router = startRouter(store);

/** What no event tells until it changes. */
async function read(path, put) {
  try {
    put(await api.get(path));
  } catch (problem) {
    put(null, problem);
  }
}

function readAll() {
  read("/api/experiments", (list, problem) => store.setExperiments(list, problem));
  read("/api/topology", (topology) => topology && store.setTopology(topology));
}

readAll();
connect(store, { onReturn: readAll });

// Countdowns and the charts' right edge move once a second, and not at all while nobody looks.
setInterval(() => {
  if (document.hidden) return;
  for (const part of shell) part.tick?.();
  router.tick();
}, 1000);

// Replica states have no event of their own on every runner.
setInterval(() => {
  if (!document.hidden && store.connection === "live" && !store.hasTopologyEvents) {
    read("/api/topology", (topology) => topology && store.setTopology(topology));
  }
}, 2000);
