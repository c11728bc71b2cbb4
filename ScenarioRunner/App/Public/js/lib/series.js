// The last minutes of measurements, one entry a second.

const PHASE_RANK = { baseline: 1, recovery: 2, fault: 3 };

/**
 * Seconds of load, newest last, with a limit. Runs may overlap: a second measured by several is one entry, with the
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
  add({ time, run_id: run, phase = null, requests, success_rate: success, p50_ms: p50, p95_ms: p95 }) {
    const second = Math.floor(time);
    const measurements = this.#seconds.get(second) ?? new Map();
    measurements.set(run, { phase, requests, success: success ?? null, p50: p50 ?? null, p95: p95 ?? null });
    this.#seconds.set(second, measurements);
    this.#dropBefore(second - this.windowSeconds);
  }

  /** The entries from `now` back to the window's start, oldest first: `{time, phase, requests, success, p50, p95}`. */
  within(now) {
    const start = now - this.windowSeconds;
    return [...this.#seconds.entries()]
      .filter(([second]) => second >= start)
      .sort(([one], [other]) => one - other)
      .map(([second, measurements]) => ({ time: second, ...merged([...measurements.values()]) }));
  }

  #dropBefore(oldest) {
    for (const second of this.#seconds.keys()) if (second < oldest) this.#seconds.delete(second);
  }
}

function merged(measurements) {
  const answered = measurements.filter(({ success }) => success !== null);
  const requests = sum(measurements.map((one) => one.requests));
  const weight = sum(answered.map((one) => one.requests));
  return {
    phase: measurements.map((one) => one.phase).reduce((one, other) => (rank(other) > rank(one) ? other : one)),
    requests,
    success: weight > 0 ? sum(answered.map((one) => one.success * one.requests)) / weight : null,
    p50: worst(measurements.map((one) => one.p50)),
    p95: worst(measurements.map((one) => one.p95)),
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
