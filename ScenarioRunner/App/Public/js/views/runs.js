// The history of runs, and one run with its report. Two that are ticked can be compared.

import { el, reconcile, setAttribute, setText } from "../lib/dom.js";
import { duration, factor, inSigns, moment, percent } from "../lib/format.js";
import { progressText } from "./phases.js";
import { mountRun } from "./run.js";
import { makeBadge, runLink, showVerdict } from "./verdict.js";

const SHOWN = 100;
const POOR_SUCCESS = 0.99;
const POOR_FACTOR = 2;
const NUMBERS = ["Before", "During", "After", "p95", "Recovery", "Money"];
const ORIGINS = { page: "from the page", api: "by the API", "command-line": "on the command line" };

export function mount(scope, [id]) {
  if (id) mountRun(scope, id);
  else mountHistory(scope);
}

function mountHistory(scope) {
  const { store, root } = scope;
  const chosen = [];
  const compare = el("button", { type: "button", class: "button primary" }, "Compare");
  const hint = el("p", { class: "hint", role: "status" });
  const note = el("div", { class: "empty" },
    el("p", { class: "empty-title" }, "No runs yet"),
    el("p", {}, "A run measures the system before, during and after a fault, and ends in a verdict. ", el("a", { href: "#/scenarios" }, "Run a scenario"),
      ", or type ", el("code", {}, "scenario-runner run packet-loss-80-percent"), "."));
  const table = makeTable((run, isChosen) => choose(run, isChosen));
  const panel = el("section", { class: "panel", "aria-label": "History" }, note, table.element);

  root.append(el("div", { class: "view-head" }, el("div", {}, el("h1", { id: "runs-title" }, "Runs"), hint), el("div", { class: "head-actions" }, compare)), panel);

  /** At most two: a third lets go of the first. */
  function choose(run, isChosen) {
    if (isChosen) chosen.push(run.id);
    else chosen.splice(chosen.indexOf(run.id), 1);
    if (chosen.length > 2) chosen.shift();
    show();
  }

  compare.onclick = () => {
    if (chosen.length !== 2) return;
    // The older one is what the newer one is held against.
    const [a, b] = store.runs.filter(({ id }) => chosen.includes(id)).reverse();
    location.hash = `#/compare/${encodeURIComponent(a.id)}/${encodeURIComponent(b.id)}`;
  };

  function show() {
    note.hidden = store.runs.length > 0;
    table.element.hidden = compare.hidden = store.runs.length === 0;
    setAttribute(compare, "aria-disabled", chosen.length === 2 ? null : "true");
    setText(hint, chosen.length === 2 ? "Two runs are ticked" : chosen.length === 1 ? "Tick one more to compare" : "Share of requests that succeeded before, during and after the fault; p95 in multiples of the baseline's. Tick two to compare them.");
    reconcile(table.body, store.runs.slice(0, SHOWN), { key: (run) => run.id, create: (run) => table.makeRow(run), update: (row, run) => updateRow(row, run, chosen) });
  }

  scope.watch("runs", show);
  scope.tick(() => store.activeRuns.length > 0 && show());
}

function makeTable(onChoose) {
  const body = el("tbody", { role: "rowgroup" });
  const heading = (text, attributes = {}) => el("th", { scope: "col", role: "columnheader", ...attributes }, text);
  // The roles are said once more because the narrow layout, which is no table to the browser, would lose them.
  const element = el("table", { class: "runs", role: "table", "aria-labelledby": "runs-title" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
      heading(el("span", { class: "visually-hidden" }, "Compare"), { class: "tick-cell" }), heading("Scenario"), heading("Verdict"), heading("Started"),
      heading("Before", { class: "number", "aria-label": "Success before" }),
      heading("During", { class: "number", "aria-label": "Success during" }),
      heading("After", { class: "number", "aria-label": "Success after" }),
      heading("p95", { class: "number", "aria-label": "p95 during the fault, in times of that before" }),
      heading("Recovery", { class: "number" }), heading("Money", { class: "number" }))),
    body);

  function makeRow(run) {
    const cell = (label, ...content) => el("td", { role: "cell", "data-label": label }, ...content);
    const tick = el("input", { type: "checkbox" });
    tick.onchange = () => onChoose(run, tick.checked);
    const [name, reasons, when, origin] = [el("a"), el("p", { class: "reasons" }), el("time"), el("span", { class: "origin" })];
    const badge = makeBadge();
    const progress = el("span", { class: "progress-words" });
    const numbers = NUMBERS.map((label) => cell(label));
    for (const number of numbers) number.classList.add("number");
    const element = el("tr", { role: "row" }, el("td", { role: "cell", class: "tick-cell" }, tick),
      el("th", { scope: "row", role: "rowheader" }, name, reasons), cell("Verdict", badge, progress), cell("Started", when, origin), numbers);
    return { element, tick, name, origin, reasons, when, badge, progress, numbers };
  }
  return { element, body, makeRow };
}

function updateRow({ element, tick, name, origin, reasons, when, badge, progress, numbers }, run, chosen) {
  const running = run.state !== "finished";
  setAttribute(element, "data-running", running);
  tick.hidden = running;
  tick.checked = chosen.includes(run.id);
  setAttribute(tick, "aria-label", `Compare ${run.experiment}, ${moment(run.started_at)}`);
  setText(name, run.experiment);
  setAttribute(name, "href", runLink(run));
  setText(reasons, inSigns(run.reasons.join("; ")));
  reasons.hidden = run.reasons.length === 0;
  setText(when, moment(run.started_at));
  setAttribute(when, "datetime", new Date(run.started_at * 1000).toISOString());
  setText(origin, ORIGINS[run.origin] ?? run.origin);
  showVerdict(badge, run.verdict);
  progress.hidden = !running;
  setText(progress, running ? progressText(run) : "");
  setAttribute(progress, "data-phase", run.phase);
  const rates = run.success_rate;
  const shares = [rates?.before, rates?.during, rates?.after];
  const { p95_factor: slower, recovery_time_ms: recovery, money } = run;
  const cells = [
    ...shares.map((share) => [percent(share), typeof share === "number" && share < POOR_SUCCESS]),
    [factor(slower), slower >= POOR_FACTOR], [duration(recovery === null ? null : recovery / 1000), false], [money ?? "–", money === "wrong"],
  ];
  cells.forEach(([words, isPoor], index) => {
    setText(numbers[index], words);
    setAttribute(numbers[index], "data-poor", isPoor);
  });
}
