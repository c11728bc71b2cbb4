// Locust: which file, how many users, how long; then how it goes, what came of it, and its own report to keep.

import * as api from "../api.js";
import { el, setText } from "../lib/dom.js";
import { latency, moment, percent, rate } from "../lib/format.js";
import { showProblem } from "../messages.js";
import { makeField, makeNumber, makeNumbers, makeSelect, makeTable } from "./parts.js";

export function makeLocust(scope) {
  const { store } = scope;
  const file = makeSelect("locust-file", []);
  const users = makeNumber("locust-users", 10, 1, 5000);
  const spawn = makeNumber("locust-spawn", 10, 0.1, 1000, "any");
  const time = makeNumber("locust-time", 60, 1, 3600);
  const description = el("p", { class: "hint" });
  const start = el("button", { type: "submit", class: "button primary" }, "Run Locust");
  const stop = el("button", { type: "button", class: "button stop" }, "Stop");
  const form = el("form", { class: "fields", hidden: true }, makeField("File", file), makeField("Users", users),
    makeField("New users a second", spawn), makeField("Seconds", time), el("div", { class: "field-actions" }, start, stop));
  const missing = el("p", { class: "note" }, "Reading the Locust files");
  const headline = el("p", { class: "load-headline" });
  const numbers = makeNumbers({ users: "Users", requests: "Requests", rate: "Now", success: "Success", p50: "p50", p95: "p95" });
  const report = el("div");
  const result = el("div", { class: "load-result", hidden: true }, headline, numbers.element, report);
  let files = [];
  let reported = null;

  async function read() {
    try {
      const answer = await api.get("/api/locust");
      files = answer.files;
      file.replaceChildren(...files.map(({ name }) => el("option", { value: name }, name)));
      form.hidden = files.length === 0 || !answer.available;
      setText(missing, answer.obstacle ?? (files.length === 0 ? "There are no Locust files yet: put one into load-profiles/locust/." : ""));
      const known = answer.current ?? answer.runs[0] ?? null;
      if (known && !store.locust) store.setLocust(known);
      if (files.some(({ name }) => name === store.locust?.file)) file.value = store.locust.file;
      describe();
    } catch (problem) {
      setText(missing, problem.isMissing ? "This runner does not run Locust." : `The Locust files could not be read. ${problem.message}`);
    }
    missing.hidden = missing.textContent === "";
  }

  function describe() {
    setText(description, files.find(({ name }) => name === file.value)?.description ?? "");
  }
  file.onchange = describe;

  form.onsubmit = (event) => {
    event.preventDefault();
    const query = { num_users: users.value, spawn_rate: spawn.value, run_time: `${time.value}s` };
    act(start, `Could not start ${file.value}`, () => api.post(`/api/run_locust/${encodeURIComponent(file.value)}`, { query }));
  };
  stop.onclick = () => act(stop, "Could not stop Locust", () => api.post("/api/locust/stop"));

  async function act(button, whatFailed, task) {
    button.disabled = true;
    try {
      await task();
    } catch (problem) {
      showProblem(whatFailed, problem);
    }
    button.disabled = false;
  }

  function show() {
    const run = store.locust;
    const isRunning = run !== null && run.state !== "finished";
    start.hidden = isRunning;
    stop.hidden = !isRunning;
    result.hidden = run === null;
    if (run === null) return;
    setText(headline, isRunning ? `${run.file} ${run.state === "running" ? "runs" : `is ${run.state}`}` : `${run.file}, ${moment(run.started_at)}: ${run.outcome}. ${run.message ?? ""}`);
    const live = run.live;
    numbers.element.hidden = !live || !isRunning;
    if (live) {
      numbers.show({
        users: String(live.users), requests: String(live.requests), rate: rate(live.throughput_rps),
        success: percent(live.requests > 0 ? 1 - live.failures / live.requests : null), p50: latency(live.p50_ms), p95: latency(live.p95_ms),
      });
    }
    const ended = isRunning || run.outcome === "error" ? null : run.id;
    if (reported === ended) return;
    reported = ended;
    report.replaceChildren();
    if (ended) readReport(ended);
  }

  async function readReport(id) {
    const path = `/api/locust/runs/${encodeURIComponent(id)}`;
    try {
      const { summary, file: name } = await api.get(path);
      if (!scope.isOpen || reported !== id || !summary) return;
      // Its own report wants to store things under the page's address, which no frame of this page may.
      report.replaceChildren(...summaryParts(summary),
        el("p", {}, el("a", { class: "button", href: `${path}/report`, download: `${name}-${id}.html` }, "Download Locust's own report")));
    } catch (problem) {
      report.replaceChildren(el("p", { class: "note", role: "alert" }, `What came of it could not be read. ${problem.message}`));
    }
  }

  scope.watch("locust", show);
  read();
  return el("section", { class: "panel", "aria-labelledby": "locust-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "locust-title" }, "Locust"), description), missing, form, result);
}

function summaryParts({ total, endpoints, errors, exceptions }) {
  const row = (name, { requests, failures, throughput_rps: throughput, p50_ms: p50, p95_ms: p95, p99_ms: p99 }) =>
    [name, String(requests), percent(requests > 0 ? 1 - failures / requests : null), rate(throughput), latency(p50), latency(p95), latency(p99)];
  const rows = [...endpoints.map(({ method, name, figures }) => row(`${method ?? ""} ${name}`.trim(), figures)), row("All", total)];
  return [
    makeTable("Locust's results", [["Request"], ["Requests", "number"], ["Success", "number"], ["Throughput", "number"], ["p50", "number"], ["p95", "number"], ["p99", "number"]], rows),
    errors.length + exceptions.length > 0 && el("ul", { class: "reason-list" },
      errors.map(({ method, name, error, occurrences }) => el("li", {}, `${occurrences} × ${method} ${name}: ${error}`)),
      exceptions.map(({ message, occurrences }) => el("li", {}, `${occurrences} × in the file itself: ${message}`))),
  ].filter(Boolean);
}
