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
   * Takes an event `second` of the runner; what is unknown in it is null. A second of a load that is already known is
   * replaced.
   */
  add(event) {
    const second = Math.floor(event.time);
    const measurements = this.#seconds.get(second) ?? new Map();
    measurements.set(event.run_id, {
      phase: event.phase,
      requests: event.requests,
      success: event.success_rate,
      declined: event.declined,
      p50: event.p50_ms,
      p95: event.p95_ms,
      p99: event.p99_ms,
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

/** The stretches between `start` and `now` in which payment failures were on, as `{from, to, words}`. */
export function failureStretches(marks, start, now) {
  return marks
    .map(({ time, words }, index) => ({ from: time, to: marks[index + 1]?.time ?? now, words }))
    .filter(({ to, words }) => words !== null && to > start);
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
