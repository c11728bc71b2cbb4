// One run: its verdict and reasons, what users felt, whether the money is right, and the whole report.

import * as api from "../api.js";
import { el, setText } from "../lib/dom.js";
import { duration, inSigns, latency, moment, percent, rate } from "../lib/format.js";
import { makeFrame, makeTable } from "./parts.js";
import { progressText, stopRun } from "./phases.js";
import { makeBadge, showVerdict } from "./verdict.js";

const PHASES = { baseline: "Before", fault: "During", recovery: "After" };
const DOWNLOADS = [["json", "Journal", "json"], ["html", "HTML", "html"], ["md", "Markdown", "md"], ["junit", "JUnit", "xml"], ["csv", "CSV", "csv"]];

export function mountRun(scope, id) {
  const { store, root } = scope;
  const path = `/api/runs/${encodeURIComponent(id)}`;
  const title = el("h1", {}, "Run");
  const badge = makeBadge();
  const when = el("p", { class: "hint" });
  const progress = el("p", { class: "progress-words" });
  const stop = el("button", { type: "button", class: "button stop" }, "Stop");
  const downloads = el("div", { class: "downloads", role: "group", "aria-label": "Download" });
  const summary = el("div", { class: "stack" });
  const report = el("div");
  let readFor = null;

  root.classList.add("beside");
  root.append(
    el("p", { class: "crumb" }, el("a", { href: "#/runs" }, "Runs")),
    el("div", { class: "view-head" }, el("div", {}, el("div", { class: "title-line" }, title, badge), when, progress), el("div", { class: "head-actions" }, stop, downloads)),
    summary, report);

  async function read(run) {
    let details;
    try {
      details = await api.get(path);
    } catch (problem) {
      summary.replaceChildren(el("p", { class: "note", role: "alert" },
        problem.status === 404 ? "The runner does not know this run. Its journal may still be in the lab's folder of runs." : `The run could not be read. ${problem.message}`));
      return;
    }
    if (!scope.isOpen) return;
    if (!run) showHead(details);
    if (!details.journal) return;
    summary.replaceChildren(...summaryParts(details.journal));
    showReport(details.journal);
  }

  function showReport(journal) {
    downloads.replaceChildren(...DOWNLOADS.map(([format, words, ending]) =>
      el("a", { class: "button", href: `${path}/report?format=${format}`, download: `${journal.run_id}.${ending}` }, words)));
    report.replaceChildren(makeFrame(`Report of ${journal.experiment}`, `${path}/report?format=html`));
  }

  function showHead(run) {
    setText(title, run.experiment);
    document.title = `${run.experiment} · payment-chaos`;
    showVerdict(badge, run.verdict);
    setText(when, `${moment(run.started_at)}${run.ended_at ? `, ${duration(run.ended_at - run.started_at)} in all` : ""} · ${run.id}`);
    const isRunning = run.state !== "finished";
    progress.hidden = stop.hidden = !isRunning;
    setText(progress, isRunning ? progressText(run) : "");
    stop.onclick = () => stopRun(store, run);
  }

  function show() {
    const run = store.runs.find((one) => one.id === id) ?? null;
    if (run) showHead(run);
    const state = run ? run.state : "unknown";
    if (readFor === state || (run && state !== "finished")) return;
    readFor = state;
    read(run);
  }

  stop.hidden = true;
  badge.hidden = true;
  scope.watch("runs", show);
  scope.tick(show);
}

function summaryParts(journal) {
  const { dose, money, reasons } = journal;
  const facts = [
    ["Fault", journal.fault && inSigns(journal.fault)],
    ["Dose", dose && `asked ${amount(dose.asked, dose.unit)}, delivered ${amount(dose.delivered, dose.unit)} (95 % interval ${amount(dose.low, dose.unit)} to ${amount(dose.high, dose.unit)})`],
    ["Recovery", journal.recovery_time_ms === null ? "not while it was watched" : duration(journal.recovery_time_ms / 1000)],
    ["Money", moneyWords(money)],
    ["Seed", String(journal.seed)],
  ].filter(([, words]) => words);
  const columns = [["Phase"], ["Requests", "number"], ["Success", "number"], ["Throughput", "number"], ["p50", "number"], ["p95", "number"], ["p99", "number"]];
  const rows = journal.phases.filter(({ name }) => PHASES[name]).map((phase) => [
    PHASES[phase.name], String(phase.requests), percent(phase.success_rate), rate(phase.throughput_rps),
    latency(phase.p50_ms), latency(phase.p95_ms), latency(phase.p99_ms)]);
  return [el("section", { class: "panel summary", "aria-label": "Summary" },
    el("div", {},
      el("ul", { class: "reason-list" }, reasons.map((reason) => el("li", {}, inSigns(reason)))),
      el("dl", { class: "facts wide-facts" }, facts.map(([name, words]) => el("div", {}, el("dt", {}, name), el("dd", {}, words))))),
    rows.length > 0 && makeTable("Before, during and after the fault", columns, rows),
    money.violations.length > 0 && el("ul", { class: "violations" }, money.violations.map((violation) =>
      el("li", {}, `${violation.text} `, violation.payment_id && el("a", { href: `#/payments/${encodeURIComponent(violation.payment_id)}` }, violation.payment_id)))))];
}

function moneyWords({ checked, violation_count: wrong, not_checked: why }) {
  if (wrong > 0) return `wrong: ${wrong} violations, ${checked} payments compared`;
  return why ? `not compared: ${why}` : `right: ${checked} payments compared with every book`;
}

function amount(value, unit) {
  if (value === null || value === undefined) return "–";
  const number = Number(value.toPrecision(4)).toLocaleString("en");
  return unit === "percent" ? `${number}\u202f%` : `${number} ${unit}`;
}
