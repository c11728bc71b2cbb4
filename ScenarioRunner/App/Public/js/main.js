// The page: one store, one stream of events into it, a shell that is always there, and one view at a time.

import { readExperiments } from "./catalogue.js";
import { startRouter } from "./router.js";
import { mountActivity } from "./shell/activity.js";
import { mountGovernance } from "./shell/governance.js";
import { mountHalt } from "./shell/halt.js";
import { Store } from "./store.js";
import { connect } from "./stream.js";

const store = new Store();
const shell = [mountGovernance(store), mountHalt(store), mountActivity(store)];
const router = startRouter(store);

connect(store, { onCatalogue: () => readExperiments(store) });

// Countdowns and the charts' right edge move once a second, and not at all while nobody looks.
setInterval(() => {
  if (document.hidden) return;
  for (const part of shell) part.tick?.();
  router.tick();
}, 1000);
