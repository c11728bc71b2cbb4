// The last minutes of measurements, one entry a second.

const PHASE_RANK = { baseline: 1, recovery: 2, fault: 3 };

/**
 * Seconds of load, newest last, with a limit. Loads may overlap: a second measured by several is one entry, with the
 * success of all their requests, the worst of their latencies (percentiles cannot be added up) and the gravest phase.
 */
export class SecondSeries {
  #seconds = new Map();

  constructor(windowSeconds) {
    this.windowSeconds = windowSeconds;
  }

  /**
   * Takes an event `second` of the runner; what is unknown in it is null or absent. A second of a run that is already
   * known is replaced.
   */
  add(event) {
    const second = Math.floor(event.time);
    const measurements = this.#seconds.get(second) ?? new Map();
    measurements.set(event.run_id, {
      phase: event.phase ?? null,
      requests: event.requests,
      success: event.success_rate ?? null,
      declined: event.declined ?? 0,
      p50: event.p50_ms ?? null,
      p95: event.p95_ms ?? null,
      p99: event.p99_ms ?? null,
    });
    this.#seconds.set(second, measurements);
    for (const known of this.#seconds.keys()) if (known < second - this.windowSeconds) this.#seconds.delete(known);
  }

  /** The entries from `now` back to the window's start, oldest first: `{time, phase, requests, success, p50, ...}`. */
  within(now) {
    const start = now - this.windowSeconds;
    return [...this.#seconds.entries()]
      .filter(([second]) => second >= start && second <= now)
      .sort(([one], [other]) => one - other)
      .map(([second, measurements]) => ({ time: second, ...merged([...measurements.values()]) }));
  }
}

function merged(measurements) {
  const answered = measurements.filter(({ success }) => success !== null);
  const weight = sum(answered.map((one) => one.requests));
  return {
    phase: measurements.map((one) => one.phase).reduce((one, other) => (rank(other) > rank(one) ? other : one)),
    requests: sum(measurements.map((one) => one.requests)),
    declined: sum(measurements.map((one) => one.declined)),
    success: weight > 0 ? sum(answered.map((one) => one.success * one.requests)) / weight : null,
    p50: worst(measurements.map((one) => one.p50)),
    p95: worst(measurements.map((one) => one.p95)),
    p99: worst(measurements.map((one) => one.p99)),
  };
}

/** The stretches of baseline, fault and recovery, as `{phase, from, to}` in Unix seconds; warm-up and settle are none. */
export function phaseBands(entries) {
  const bands = [];
  for (const { time, phase } of entries) {
    if (rank(phase) === 0) continue;
    const last = bands.at(-1);
    if (last && last.phase === phase && time - last.to <= 2) last.to = time + 1;
    else bands.push({ phase, from: time, to: time + 1 });
  }
  return bands;
}

/** The stretches in which payment failures were on, as `{from, to, words}`. */
export function failureStretches(marks, now) {
  return marks
    .map(({ time, words }, index) => ({ from: time, to: marks[index + 1]?.time ?? now, words }))
    .filter(({ words }) => words !== null);
}

/** A second of a load without chaos, from its event; null when it tells none. */
export function secondOfLoad({ id, started_at: start, progress }) {
  if (!progress) return null;
  const { recent_requests: requests, recent_ok: ok, recent_p50_ms: p50, recent_p99_ms: p99, recent_p95_ms: p95 } = progress;
  return {
    time: start + progress.elapsed_s, run_id: id, requests, success_rate: requests > 0 ? ok / requests : null,
    p50_ms: p50, p95_ms: p95, p99_ms: p99,
  };
}

/** A second of a Locust: its counts go from its start, so `before` is its event of the second before. */
export function secondOfLocust({ id, live }, before) {
  if (!live) return null;
  const known = before?.id === id && before.live ? before.live : { requests: 0, failures: 0 };
  const requests = live.requests - known.requests;
  const failures = live.failures - known.failures;
  if (requests < 0 || live.time === known.time) return null;
  return {
    time: live.time, run_id: id, requests, success_rate: requests > 0 ? 1 - failures / requests : null,
    p50_ms: live.p50_ms, p95_ms: live.p95_ms,
  };
}

function rank(phase) {
  return PHASE_RANK[phase] ?? 0;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function worst(values) {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? Math.max(...known) : null;
}
