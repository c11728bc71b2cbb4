// The runner's event stream, kept open for as long as the page is.
//
//   connecting --open--> live --error--> lost --open--> live
//
// A connection begins with a snapshot, or, when the browser comes back soon enough, with what it missed: the browser
// names the last event that it heard (Last-Event-ID).

import { heard } from "./lib/clock.js";

const REOPEN_AFTER_MS = 2000;

/**
 * Opens the stream. `onCatalogue` is called when an experiment's file has changed, and whenever the stream has opened: the
 * runner may be another process by then.
 */
export function connect(store, { onCatalogue }) {
  const source = new EventSource("/api/events");
  const on = (name, handle) => source.addEventListener(name, (event) => handle(JSON.parse(event.data)));

  source.onopen = () => {
    store.setConnection("live");
    // What comes with the opening is drawn first.
    setTimeout(onCatalogue, 0);
  };
  on("snapshot", (snapshot) => {
    heard(snapshot.time);
    store.setFailureModes(snapshot.failure_modes);
    store.setMarks(snapshot.marks);
    store.setHalted(snapshot.halt.halted);
    store.setRateLimit(snapshot.rate_limit);
    store.setRuns(snapshot.runs);
    store.addSeconds(snapshot.seconds);
    store.setResilience(snapshot.resilience ?? null);
    store.setTopology(snapshot.topology);
    if (snapshot.load) store.setLoad(snapshot.load);
    if (snapshot.locust) store.setLocust(snapshot.locust);
  });
  on("second", (second) => {
    heard(second.time);
    store.addSeconds([second]);
  });
  on("experiments", onCatalogue);
  on("run", (run) => store.putRun(run));
  on("mark", (mark) => store.addMark(mark));
  on("failure_modes", (modes) => store.setFailureModes(modes));
  on("halt", ({ halted }) => store.setHalted(halted));
  on("rate_limit", (limit) => store.setRateLimit(limit));
  on("resilience", (resilience) => store.setResilience(resilience));
  on("topology", (topology) => store.setTopology(topology));
  on("load", (load) => store.setLoad(load));
  on("locust", (locust) => store.setLocust(locust));

  source.onerror = () => {
    store.setConnection("lost");
    // The browser reopens a connection that broke, but gives up on one that was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => connect(store, { onCatalogue }), REOPEN_AFTER_MS);
  };
}
