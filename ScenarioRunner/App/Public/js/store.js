// What the page knows, in one place. Views read it and are told when a part of it changes; only this file's callers in
// stream.js and the views' actions write it.

import { SecondSeries } from "./lib/series.js";

export const WINDOW_SECONDS = 300;
const KEPT_RUNS = 50;

export class Store {
  /** `connecting`, `live` or `lost`. */
  connection = "connecting";
  /** The catalogue, or null until it has been read. */
  experiments = null;
  /** Why the catalogue could not be read, or null. */
  experimentsProblem = null;
  /** Runs, newest first. */
  runs = [];
  /** The settings of the payment failures, or null until known. */
  failureModes = null;
  /** `{active, places, readyAt}`, or null until known; `readyAt` is on the monotonic clock, in milliseconds. */
  rateLimit = null;
  /** Whether everything is halted, or null until known. */
  halted = null;
  /** The Locust files as `GET /api/locust` tells them, or null until they have been read. */
  locustFiles = null;
  /** The Locust that runs, or the last one; null while none is known. */
  locust = null;
  seconds = new SecondSeries(WINDOW_SECONDS);
  #watchers = new Map();

  /** Calls `watcher` after every change of `part`: the name of one of the properties above. */
  watch(part, watcher) {
    this.#watchers.set(part, [...(this.#watchers.get(part) ?? []), watcher]);
  }

  setConnection(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.#changed("connection");
  }

  setExperiments(experiments) {
    this.experiments = experiments;
    this.experimentsProblem = null;
    this.#changed("experiments");
  }

  setExperimentsProblem(problem) {
    this.experimentsProblem = problem;
    this.#changed("experiments");
  }

  setRuns(runs) {
    this.runs = [...runs].sort((one, other) => other.started_at - one.started_at).slice(0, KEPT_RUNS);
    this.#changed("runs");
  }

  /** Takes one run, new or changed. */
  putRun(run) {
    this.setRuns([run, ...this.runs.filter(({ id }) => id !== run.id)]);
  }

  setFailureModes(failureModes) {
    this.failureModes = failureModes;
    this.#changed("failureModes");
  }

  setLocustFiles(overview) {
    this.locustFiles = overview;
    this.#changed("locustFiles");
    if (this.locust === null && overview.runs.length > 0) this.setLocust(overview.runs[0]);
  }

  setLocust(run) {
    this.locust = run;
    this.#changed("locust");
  }

  setHalted(halted) {
    if (this.halted === halted) return;
    this.halted = halted;
    this.#changed("halted");
  }

  setRateLimit({ cooldown_remaining_seconds: remaining, active_experiments: active, max_concurrent: places }) {
    this.rateLimit = { active, places, readyAt: performance.now() + remaining * 1000 };
    this.#changed("rateLimit");
  }

  /** Seconds until the cooldown lets an experiment start; 0 when it does. */
  get cooldownSeconds() {
    return this.rateLimit ? Math.max(0, (this.rateLimit.readyAt - performance.now()) / 1000) : 0;
  }

  addSeconds(seconds) {
    for (const second of seconds) this.seconds.add(second);
    this.#changed("seconds");
  }

  /** The run of this experiment that is under way, or null. */
  runningOf(experiment) {
    return this.runs.find((run) => run.experiment === experiment && run.state !== "finished") ?? null;
  }

  /** The last run of this experiment that came to an end, or null. */
  lastOf(experiment) {
    return this.runs.find((run) => run.experiment === experiment && run.state === "finished") ?? null;
  }

  #changed(part) {
    for (const watcher of this.#watchers.get(part) ?? []) watcher();
  }
}
