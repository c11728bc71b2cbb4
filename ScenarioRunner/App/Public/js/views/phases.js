// What a run is doing, in words, and how it is stopped.

import * as api from "../api.js";
import { now } from "../lib/clock.js";
import { countdown } from "../lib/format.js";
import { showProblem } from "../messages.js";

/** The phases of a run in their order. */
export const PHASES = ["warm-up", "baseline", "fault", "recovery", "settle"];

/** "fault, 0:23 left", "starting", "stopping". */
export function progressText({ state, phase, phase_ends_at: endsAt }) {
  if (state === "stopping") return "stopping, taking the fault away";
  if (state === "starting" || !phase) return "starting";
  return !endsAt ? phase : `${phase}, ${countdown(endsAt - now())} left`;
}

export async function stopRun(store, run) {
  try {
    store.putRun(await api.post(`/api/runs/${encodeURIComponent(run.id)}/stop`));
  } catch (problem) {
    showProblem(`Could not stop ${run.experiment}`, problem);
  }
}
