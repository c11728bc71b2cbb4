// Two runs held against one another: whether they differ, by how much, and whether that can be chance.

import * as api from "../api.js";
import { el, setText } from "../lib/dom.js";
import { duration, inSigns, latency, moment, percent, rate } from "../lib/format.js";
import { makeFrame, makeTable } from "./parts.js";
import { makeBadge, runLink, showVerdict } from "./verdict.js";

const PHASES = { baseline: "before", fault: "during", recovery: "after" };
const NARROW_SPACE = "\u202f";

export function mount(scope, [a, b]) {
  const { store, root } = scope;
  const sentence = el("p", { class: "hint", role: "status" }, "Comparing");
  const body = el("div", { class: "stack beside" });
  root.append(
    el("p", { class: "crumb" }, el("a", { href: "#/runs" }, "Runs")),
    el("div", { class: "view-head" }, el("div", {}, el("h1", {}, "Two runs compared"), sentence)), body);

  async function read() {
    if (!a || !b) return fail("Two runs are needed", "Tick two in the list of runs, and press Compare.");
    const query = new URLSearchParams({ a, b });
    try {
      const comparison = await api.get(`/api/compare?${query}`);
      if (!scope.isOpen) return;
      setText(sentence, finding(comparison));
      const facts = el("div", { class: "stack" }, heads([comparison.a, comparison.b].map(asRun)), numbers(comparison));
      body.replaceChildren(facts, makeFrame("Both runs, drawn over one another", `/api/compare?${query}&format=html`));
    } catch (problem) {
      fail("The runs could not be compared", problem.status === 404
        ? `${problem.message} Its journal may have made room for newer ones; choose two from the list of runs.` : problem.message);
    }
  }

  function fail(title, words) {
    if (!scope.isOpen) return;
    setText(sentence, title);
    const known = [a, b].map((id) => store.runs.find((run) => run.id === id)).filter(Boolean);
    body.replaceChildren(el("p", { class: "note", role: "alert" }, words), ...(known.length > 0 ? [heads(known)] : []));
  }
  read();
}

/** "B differs from A in success, p50 during the fault." */
function finding({ lines, sentence }) {
  const parts = Object.entries(PHASES)
    .map(([phase, when]) => [lines.filter((line) => line.differs && line.phase === phase).map(({ metric }) => metric), when])
    .filter(([metrics]) => metrics.length > 0)
    .map(([metrics, when]) => `${metrics.join(", ")} ${when} the fault`);
  return parts.length > 0 ? `B differs from A in ${parts.join("; ")}.` : `${asSentence(sentence)}.`;
}

/** A run of the comparison as the list of runs knows it. */
function asRun({ run_id: id, time_to_recover_ms: recovery, ...run }) {
  return { ...run, id, recovery_time_ms: recovery ?? null };
}

function heads(runs) {
  return el("div", { class: "versus" }, runs.map((run, index) => {
    const badge = makeBadge();
    showVerdict(badge, run.verdict);
    const recovery = run.recovery_time_ms === null ? "recovery not seen" : run.recovery_time_ms === 0 ? "recovered at once" : `recovered in ${duration(run.recovery_time_ms / 1000)}`;
    return el("section", { class: "panel", "data-run": "ab"[index], "aria-label": `Run ${"AB"[index]}` },
      el("h2", {}, el("span", { class: "versus-letter" }, "AB"[index]), el("a", { href: runLink(run) }, run.experiment), badge),
      el("p", { class: "hint" }, `${moment(run.started_at)} · ${recovery}`));
  }));
}

/** What differs stands first; what kept parts from being compared is said where their numbers would be. */
function numbers({ lines, notes }) {
  const sorted = [...lines].sort((one, other) => Number(other.differs) - Number(one.differs));
  const rows = sorted.map((line) => [
    `${line.metric} ${PHASES[line.phase] ?? line.phase}`, value(line.a, line.unit), value(line.b, line.unit),
    difference(line.difference, line.unit), interval(line),
    line.differs ? el("span", { class: "badge", "data-verdict": "deviated" }, "differs") : el("span", { class: "same" }, "may be chance"),
  ]);
  return el("section", { class: "panel", "aria-labelledby": "numbers-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "numbers-title" }, "Number by number"),
      el("p", { class: "hint" }, lines.length > 0 ? "B less A. Of so many numbers some differ by chance; what is marked differs beyond that" : "")),
    notes.length > 0 && el("ul", { class: "reason-list" }, notes.map((note) => el("li", {}, asSentence(note)))),
    lines.length > 0
      ? makeTable("Both runs in numbers", [["What"], ["A", "number"], ["B", "number"], ["Difference", "number"], ["95 % interval", "number"], ["Finding"]], rows)
      : el("p", { class: "note" }, "There is nothing to compare. A part of a run takes at least 5 whole seconds with requests: run both again for longer."));
}

function asSentence(words) {
  const signs = inSigns(words);
  return signs.charAt(0).toUpperCase() + signs.slice(1);
}

function value(number, unit) {
  return unit === "share" ? percent(number) : unit === "ms" ? latency(number) : rate(number);
}

function difference(number, unit) {
  const sign = number < 0 ? "\u2212" : "+";
  const size = Math.abs(number);
  const words = unit === "share" ? `${(size * 100).toFixed(1)}${NARROW_SPACE}points` : value(size, unit);
  return /^0(\.0)?[^.\d]/.test(words) ? words : `${sign}${words}`;
}

function interval({ low, high, unit }) {
  return `${difference(low, unit)} to ${difference(high, unit)}`;
}
