// A verdict as a badge. The sign and the word say it; the colour only repeats it.

import { el, setAttribute, setText } from "../lib/dom.js";

const SIGNS = { held: "✓", deviated: "✕", aborted: "■", invalid: "?" };
const MEANINGS = {
  held: "The hypothesis held and the system recovered",
  deviated: "The system did not do what the hypothesis says",
  aborted: "Ended before its time",
  invalid: "Says nothing: the fault did not take effect, or the baseline was already bad",
};

export function makeBadge() {
  return el("span", { class: "badge" }, el("span", { "aria-hidden": "true" }), el("span"));
}

/** Shows `verdict`; null hides the badge. */
export function showVerdict(badge, verdict) {
  badge.hidden = !verdict;
  if (!verdict) return;
  setAttribute(badge, "data-verdict", verdict);
  setAttribute(badge, "title", MEANINGS[verdict] ?? null);
  setText(badge.firstElementChild, SIGNS[verdict] ?? "•");
  setText(badge.lastElementChild, verdict);
}

/** Where a run's report is, on this page. */
export function runLink(run) {
  return `#/runs/${encodeURIComponent(run.id)}`;
}
