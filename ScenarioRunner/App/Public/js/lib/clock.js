// The runner's clock, for countdowns to a moment that the runner named. The browser may be another machine.

const TOLERATED_SKEW_SECONDS = 2;
let skew = 0;

/** Learns from a moment, in Unix seconds, at which the runner spoke. Small differences are the network, not the clock. */
export function heard(runnerSeconds) {
  const difference = runnerSeconds - Date.now() / 1000;
  skew = Math.abs(difference) > TOLERATED_SKEW_SECONDS ? difference : 0;
}

/** The runner's time now, in Unix seconds. */
export function now() {
  return Date.now() / 1000 + skew;
}
