// Locust: which file, how many users, how long; then how it goes and where its report is.

import * as api from "../api.js";
import { byId, el, setText } from "../lib/dom.js";
import { latency, percent } from "../lib/format.js";
import { announce, showProblem } from "../messages.js";

const USERS = [1, 10, 50, 100];
const RUN_TIMES = [["30s", "30 s"], ["60s", "1 min"], ["5m", "5 min"]];

export function mountLocust(store) {
  const file = makeChoice("locust-file", "File");
  const users = makeChoice("locust-users", "Users", USERS.map((count) => [String(count), String(count)]));
  const time = makeChoice("locust-time", "For", RUN_TIMES);
  const start = el("button", { type: "button", class: "button primary" }, "Run Locust");
  const stop = el("button", { type: "button", class: "button stop" }, "Stop");
  const words = el("p", { class: "note", id: "locust-words" });
  const report = el("a", {}, "Report");
  const note = byId("locust-controls").firstElementChild;
  const form = el("div", { class: "locust" }, file.element, users.element, time.element, start, stop);
  let heardOutcome;

  users.input.value = "10";
  byId("locust-controls").append(form, el("div", { class: "locust-state" }, words, report));

  start.onclick = () => send(start, `Could not start ${file.input.value}`, async () => {
    const query = { num_users: users.input.value, run_time: time.input.value };
    await api.post(`/api/run_locust/${encodeURIComponent(file.input.value)}`, { query });
  });
  stop.onclick = () => send(stop, "Could not stop Locust", () => api.post("/api/locust/stop"));

  async function send(button, whatFailed, task) {
    button.disabled = true;
    try {
      await task();
    } catch (problem) {
      showProblem(whatFailed, problem);
    }
    button.disabled = false;
  }

  function showFiles() {
    const { files, obstacle } = store.locustFiles;
    file.set(files.map(({ name, description }) => [name, `${name}: ${description}`]));
    setText(note, obstacle ?? "");
    note.hidden = obstacle === null;
    form.hidden = files.length === 0 || obstacle !== null;
  }

  function showRun() {
    const run = store.locust;
    const running = run !== null && run.state !== "finished";
    start.hidden = running;
    stop.hidden = !running;
    report.hidden = run === null || running || run.outcome === "error";
    setText(words, run === null ? "" : inWords(run));
    if (run === null) return;
    report.href = `/api/locust/runs/${encodeURIComponent(run.id)}/report`;
    if (run.outcome && heardOutcome === null) announce(`${run.file}: ${run.outcome}`);
    heardOutcome = run.outcome;
  }

  store.watch("locustFiles", showFiles);
  store.watch("locust", showRun);
  showRun();
  return { tick: () => {} };
}

function inWords({ file, state, outcome, message, live }) {
  if (state === "finished") return `${file}: ${outcome}. ${message}`;
  if (live === null) return `${file}: ${state}`;
  const failed = live.requests === 0 ? "" : `, ${percent(1 - live.failures / live.requests)} ok`;
  return `${file}: ${live.users} users, ${Math.round(live.throughput_rps)} requests/s${failed}, p95 ${latency(live.p95_ms)}`;
}

function makeChoice(id, label, options = []) {
  const input = el("select", { id });
  const element = el("div", { class: "choice" }, el("label", { for: id }, label), input);

  function set(pairs) {
    const chosen = input.value;
    input.replaceChildren(...pairs.map(([value, title]) => el("option", { value }, title)));
    if (pairs.some(([value]) => value === chosen)) input.value = chosen;
  }
  set(options);
  return { element, input, set };
}
