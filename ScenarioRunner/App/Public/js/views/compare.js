// Two runs held against one another: whether they differ, by how much, and whether that can be chance.

import * as api from "../api.js";
import { el, setText } from "../lib/dom.js";
import { duration, latency, moment, percent, rate } from "../lib/format.js";
import { makeFrame, makeTable } from "./parts.js";
import { runLink } from "./verdict.js";

const PHASES = { baseline: "before", fault: "during", recovery: "after" };

export function mount(scope, [a, b]) {
  const { store, root } = scope;
  const sentence = el("p", { class: "hint", role: "status" }, "Comparing");
  const body = el("div", { class: "stack" });
  root.append(
    el("p", { class: "crumb" }, el("a", { href: "#/runs" }, "Runs")),
    el("div", { class: "view-head" }, el("div", {}, el("h1", {}, "Two runs compared"), sentence)), body);

  async function read() {
    const query = new URLSearchParams({ a, b });
    try {
      const comparison = await api.get(`/api/compare?${query}`);
      if (!scope.isOpen) return;
      setText(sentence, comparison.sentence);
      body.replaceChildren(heads([comparison.a, comparison.b].map((run) => ({ ...run, id: run.run_id, recovery_time_ms: run.time_to_recover_ms ?? null }))), lines(comparison), notes(comparison));
      const source = `/api/compare?${query}&format=html`;
      if ((await api.typeOf(source)) === "text/html" && scope.isOpen) body.append(makeFrame("Both runs, drawn over one another", source));
    } catch (problem) {
      const known = [a, b].map((id) => store.runs.find((run) => run.id === id)).filter(Boolean);
      setText(sentence, problem.isMissing && known.length === 2 ? "This runner does not work out whether two runs differ by more than chance. Here they stand side by side." : `The runs could not be compared. ${problem.message}`);
      body.replaceChildren(...(known.length === 2 ? [heads(known), sideBySide(known)] : []));
    }
  }
  read();
}

function heads(runs) {
  return el("div", { class: "versus" }, runs.map((run, index) => el("section", { class: "panel", "data-run": "ab"[index] },
    el("h2", {}, el("span", { class: "versus-letter" }, "AB"[index]), el("a", { href: runLink(run) }, run.experiment)),
    el("p", { class: "hint" }, `${moment(run.started_at)}, ${run.verdict ?? "not over"}; recovery ${run.recovery_time_ms === null ? "not seen" : duration(run.recovery_time_ms / 1000)}`))));
}

function lines({ lines: all }) {
  const rows = all.map((line) => [
    `${line.metric} ${PHASES[line.phase] ?? line.phase}`, value(line.a, line.unit), value(line.b, line.unit), difference(line.difference, line.unit),
    `${difference(line.low, line.unit)} to ${difference(line.high, line.unit)}`,
    el("span", { class: "badge", "data-verdict": line.differs ? "deviated" : "same" }, line.differs ? "differs" : "no difference"),
  ]);
  return el("section", { class: "panel", "aria-label": "Numbers" }, makeTable("Both runs in numbers",
    [["What"], ["A", "number"], ["B", "number"], ["Difference", "number"], ["95 % interval", "number"], ["Finding"]], rows));
}

function notes({ notes: all }) {
  return el("ul", { class: "reason-list" }, all.map((note) => el("li", {}, note)));
}

function sideBySide(runs) {
  const shares = [["Success before", "before"], ["Success during", "during"], ["Success after", "after"]];
  const rows = shares.map(([name, key]) => [name, ...runs.map((run) => percent(run.success_rate?.[key]))]);
  return el("section", { class: "panel", "aria-label": "Numbers" }, makeTable("Both runs in numbers", [["What"], ["A", "number"], ["B", "number"]], rows));
}

function value(number, unit) {
  return unit === "share" ? percent(number) : unit === "ms" ? latency(number) : rate(number);
}

function difference(number, unit) {
  const sign = number < 0 ? "\u2212" : "+";
  const size = Math.abs(number);
  if (unit === "share") return `${sign}${(size * 100).toFixed(1)} points`;
  return `${sign}${value(size, unit)}`;
}
