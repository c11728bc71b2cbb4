// What the page knows, in one place. Views read it and are told when a part of it changes; only stream.js, main.js and
// the views' actions write it. Nothing in it grows without a limit.

import { SecondSeries } from "./lib/series.js";

export const WINDOW_SECONDS = 300;
const KEPT_RUNS = 200;
const KEPT_MARKS = 200;

export class Store {
  /** `connecting`, `live` or `lost`. */
  connection = "connecting";
  /** The catalogue, or null until it has been read. */
  experiments = null;
  /** What is wrong with the files that do not load: `[{file, line, field, reason}]`. */
  experimentProblems = [];
  /** Why the catalogue could not be read, or null. */
  experimentsProblem = null;
  /** Runs, newest first. */
  runs = [];
  /** The settings of the payment failures, or null until known. */
  failureModes = null;
  /** `{active, places, readyAt, minutes}`, or null until known; `readyAt` is on the monotonic clock, in milliseconds. */
  rateLimit = null;
  /** Whether everything is halted, or null until known. */
  halted = null;
  /** `{services, paths, faults}`, or null until known. */
  topology = null;
  /** `{profile, patterns, inventory_pool}`; null on a runner without such settings, undefined until known. */
  resilience = undefined;
  /** The running or last load, and the running or last Locust; null until there was one. */
  load = null;
  locust = null;
  seconds = new SecondSeries(WINDOW_SECONDS);
  /** When payment failures were changed, as the runner saw it: `[{time, words}]`, words null for none, oldest first. */
  marks = [];
  #watchers = new Map();

  /** Calls `watcher` after every change of `part`, the name of a property above, until the function it returns is called. */
  watch(part, watcher) {
    const watchers = this.#watchers.get(part) ?? new Set();
    this.#watchers.set(part, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }

  setConnection(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.#changed("connection");
  }

  setExperiments(experiments, problems) {
    const isSame = JSON.stringify([experiments, problems]) === JSON.stringify([this.experiments, this.experimentProblems]);
    if (isSame && !this.experimentsProblem) return;
    this.experiments = experiments;
    this.experimentProblems = problems;
    this.experimentsProblem = null;
    this.#changed("experiments");
  }

  /** What was read before stays. */
  setExperimentsUnread(problem) {
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

  setFailureModes(modes) {
    this.failureModes = modes;
    this.#changed("failureModes");
  }

  setMarks(marks) {
    this.marks = marks.map(markOf);
    this.#changed("marks");
  }

  /** Takes one more; what came with the snapshot may come once more as an event. */
  addMark(mark) {
    const earlier = this.marks.filter(({ time }) => time < mark.time);
    this.marks = [...earlier, markOf(mark)].slice(-KEPT_MARKS);
    this.#changed("marks");
  }

  setHalted(halted) {
    if (this.halted === halted) return;
    this.halted = halted;
    this.#changed("halted");
  }

  setRateLimit({ cooldown_remaining_seconds: remaining, active_experiments: active, max_concurrent: places, cooldown_minutes: minutes }) {
    this.rateLimit = { active, places, minutes, readyAt: performance.now() + remaining * 1000 };
    this.#changed("rateLimit");
  }

  /** Seconds until the cooldown lets an experiment start; 0 when it does. */
  get cooldownSeconds() {
    return this.rateLimit ? Math.max(0, (this.rateLimit.readyAt - performance.now()) / 1000) : 0;
  }

  setTopology(topology) {
    this.topology = topology;
    this.#changed("topology");
  }

  setResilience(resilience) {
    this.resilience = resilience;
    this.#changed("resilience");
  }

  setLoad(load) {
    this.load = load;
    this.#changed("load");
  }

  setLocust(locust) {
    this.locust = locust;
    this.#changed("locust");
  }

  addSeconds(seconds) {
    for (const second of seconds) this.seconds.add(second);
    this.#changed("seconds");
  }

  /** Runs that have not ended, newest first. */
  get activeRuns() {
    return this.runs.filter((run) => run.state !== "finished");
  }

  /** The run of this experiment that is under way, or null. */
  runningOf(experiment) {
    return this.activeRuns.find((run) => run.experiment === experiment) ?? null;
  }

  /** The last run of this experiment that came to an end, or null. */
  lastOf(experiment) {
    return this.runs.find((run) => run.experiment === experiment && run.state === "finished") ?? null;
  }

  #changed(part) {
    for (const watcher of [...(this.#watchers.get(part) ?? [])]) watcher();
  }
}

/** Which payment failures are on: `[{name: "gateway timeout", amount: "15 %, 10 s"}]`. */
export function failuresOn(modes) {
  return [["gateway_timeout", "gateway timeout"], ["card_decline", "card decline"], ["stolen_card", "stolen card"]]
    .filter(([key]) => modes?.[`${key}_enabled`])
    .map(([key, name]) => {
      const delay = modes[`${key}_delay`];
      return { name, amount: `${modes[`${key}_probability`]}\u202f%${delay === undefined ? "" : `, ${delay}\u202fs`}` };
    });
}

function markOf({ time, failure_modes: modes }) {
  return { time, words: failureWords(modes).join(", ") || null };
}

/** The same in words: `["card decline 20 %"]`. */
export function failureWords(modes) {
  return failuresOn(modes).map(({ name, amount }) => `${name} ${amount}`);
}
