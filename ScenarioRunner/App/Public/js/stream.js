// The runner's event stream, kept open for as long as the page is.
//
//   connecting --open--> live --error--> lost --open--> live
//
// A connection begins with a snapshot, or, when the browser comes back soon enough, with what it missed: the browser
// names the last event that it heard (Last-Event-ID).

import { heard } from "./lib/clock.js";
import { secondOfLoad, secondOfLocust } from "./lib/series.js";

const REOPEN_AFTER_MS = 2000;

/** Opens the stream. `onLive` is called whenever it has opened: the runner may be another process by then. */
export function connect(store, { onLive }) {
  const source = new EventSource("/api/events");
  const on = (name, handle) => source.addEventListener(name, (event) => handle(JSON.parse(event.data)));

  source.onopen = () => {
    store.setConnection("live");
    // What comes with the opening is drawn first.
    setTimeout(onLive, 0);
  };
  on("snapshot", (snapshot) => {
    store.setFailureModes(snapshot.failure_modes);
    store.setHalted(snapshot.halt.halted);
    store.setRateLimit(snapshot.rate_limit);
    store.setRuns(snapshot.runs);
    store.addSeconds(snapshot.seconds ?? []);
    store.setResilience(snapshot.resilience ?? null);
    store.setTopology(snapshot.topology);
    if (snapshot.load) store.setLoad(snapshot.load);
    if (snapshot.locust) store.setLocust(snapshot.locust);
  });
  on("second", (second) => {
    heard(second.time);
    store.addSeconds([second]);
  });
  on("run", (run) => store.putRun(run));
  on("failure_modes", (modes) => store.setFailureModes(modes));
  on("halt", ({ halted }) => store.setHalted(halted));
  on("rate_limit", (limit) => store.setRateLimit(limit));
  on("resilience", (resilience) => store.setResilience(resilience));
  on("topology", (topology) => store.setTopology(topology));
  on("load", (load) => {
    store.setLoad(load);
    const second = secondOfLoad(load);
    if (second) store.addSeconds([second]);
  });
  on("locust", (locust) => {
    const second = secondOfLocust(locust, store.locust);
    store.setLocust(locust);
    if (second) store.addSeconds([second]);
  });

  source.onerror = () => {
    store.setConnection("lost");
    // The browser reopens a connection that broke, but gives up on one that was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => connect(store, { onLive }), REOPEN_AFTER_MS);
  };
}
