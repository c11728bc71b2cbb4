// The last runs: what was done, how it ended, what users felt, how long healing took.

import { byId, el, reconcile, setAttribute, setText } from "../lib/dom.js";
import { duration, latency, moment, percent } from "../lib/format.js";
import { announce } from "../messages.js";
import { progressText } from "./phases.js";
import { journalPath, makeBadge, showVerdict } from "./verdict.js";

const SHOWN = 12;
const POOR_SUCCESS = 0.99;
const ORIGINS = { page: "from the page", api: "by the API", "command-line": "on the command line" };

export function mountRuns(store) {
  const container = byId("run-history");
  const table = makeTable();
  const note = el("p", { class: "note" },
    "No runs yet. Run an experiment above, or ", el("code", {}, "scenario-runner run packet-loss-80-percent"), " in a shell.");
  const heardStates = new Map();
  container.append(note, table.element);

  function show() {
    note.hidden = store.runs.length > 0;
    table.element.hidden = store.runs.length === 0;
    reconcile(table.body, store.runs.slice(0, SHOWN), { key: (run) => run.id, create: makeRow, update: updateRow });
    store.runs.forEach(speakOf);
  }

  /** Tells a screen reader of a new phase or verdict, once, and not of what was over before the page was opened. */
  function speakOf(run) {
    const words = run.state === "finished" ? run.verdict : run.phase;
    const before = heardStates.get(run.id);
    heardStates.set(run.id, words);
    if (words && before !== words && (before !== undefined || run.state !== "finished")) announce(`${run.experiment}: ${words}`);
  }

  store.watch("runs", show);
  show();
  return { tick: show };
}

function makeTable() {
  const body = el("tbody", { role: "rowgroup" });
  const heading = (text, attributes = {}) => el("th", { scope: "col", role: "columnheader", ...attributes }, text);
  // The roles are said once more because the narrow layout, which is no table to the browser, would lose them.
  const element = el("table", { class: "runs", role: "table", "aria-labelledby": "runs-title" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
      heading("Experiment"), heading("Started"), heading("Verdict"),
      heading("Before", { class: "number", "aria-label": "Success before" }),
      heading("During", { class: "number", "aria-label": "Success during" }),
      heading("After", { class: "number", "aria-label": "Success after" }),
      heading("Recovery", { class: "number" }))),
    body);
  return { element, body };
}

function makeRow() {
  const cell = (label, ...content) => el("td", { role: "cell", "data-label": label }, ...content);
  const name = el("a");
  const origin = el("span", { class: "origin" });
  const reasons = el("p", { class: "reasons" });
  const when = el("time");
  const badge = makeBadge();
  const progress = el("span", { class: "progress-words" });
  const numbers = ["Before", "During", "After", "Recovery"].map((label) => cell(label));
  for (const number of numbers) number.classList.add("number");
  const element = el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, name, reasons),
    cell("Started", when, origin), cell("Verdict", badge, progress), numbers);
  return { element, name, origin, reasons, when, badge, progress, numbers };
}

function updateRow({ element, name, origin, reasons, when, badge, progress, numbers }, run) {
  const running = run.state !== "finished";
  setAttribute(element, "data-running", running);
  setText(name, run.experiment);
  setAttribute(name, "href", journalPath(run));
  setAttribute(name, "title", `Journal of ${run.id}`);
  setText(reasons, run.reasons.join("; "));
  reasons.hidden = run.reasons.length === 0;
  setText(when, moment(run.started_at));
  setAttribute(when, "datetime", new Date(run.started_at * 1000).toISOString());
  setText(origin, ORIGINS[run.origin] ?? run.origin);
  showVerdict(badge, run.verdict);
  progress.hidden = !running;
  setText(progress, running ? progressText(run) : "");
  setAttribute(progress, "data-phase", run.phase);
  const rates = run.success_rate;
  [rates?.before, rates?.during, rates?.after].forEach((share, index) => {
    setText(numbers[index], percent(share));
    setAttribute(numbers[index], "data-poor", typeof share === "number" && share < POOR_SUCCESS);
  });
  setText(numbers[3], run.recovery_time_ms == null ? latency(null) : duration(run.recovery_time_ms / 1000));
}
