// The runner's event stream, kept open for as long as the page is.
//
//   connecting --snapshot--> live --error--> lost --snapshot--> live
//
// Every connection begins with a snapshot, so nothing missed while it was lost matters.

import { heard } from "./lib/clock.js";

const REOPEN_AFTER_MS = 3000;

/** Opens the stream. `onReturn` is called when it is back: the runner may be another process by then. */
export function connect(store, { onReturn }) {
  const source = new EventSource("/api/events");
  const on = (name, handle) => source.addEventListener(name, (event) => handle(JSON.parse(event.data)));

  on("snapshot", (snapshot) => {
    store.setFailureModes(snapshot.failure_modes);
    store.setHalted(snapshot.halt.halted);
    store.setRateLimit(snapshot.rate_limit);
    store.setRuns(snapshot.runs);
    store.addSeconds(snapshot.seconds ?? []);
    if (snapshot.locust) store.setLocust(snapshot.locust);
    const wasLost = store.connection === "lost";
    store.setConnection("live");
    if (wasLost) onReturn();
  });
  on("second", (second) => {
    heard(second.time);
    store.addSeconds([second]);
  });
  on("run", (run) => store.putRun(run));
  on("locust", (run) => store.setLocust(run));
  on("failure_modes", (modes) => store.setFailureModes(modes));
  on("halt", ({ halted }) => store.setHalted(halted));
  on("rate_limit", (limit) => store.setRateLimit(limit));

  source.onerror = () => {
    store.setConnection("lost");
    // The browser reopens a connection that broke, but gives up on one that was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => connect(store, { onReturn }), REOPEN_AFTER_MS);
  };
}
