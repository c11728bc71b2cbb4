// The built-in load generator: which profile, how much, how long; the numbers while it runs, and what came of it.

import * as api from "../api.js";
import { el, setText } from "../lib/dom.js";
import { inSigns, latency, percent, rate } from "../lib/format.js";
import { showProblem } from "../messages.js";
import { makeField, makeNumber, makeNumbers, makeSelect, makeTable } from "./parts.js";

export function makeGenerator(scope) {
  const { store } = scope;
  const profile = makeSelect("load-profile", []);
  const model = makeSelect("load-model", [["open", "Open, by rate"], ["closed", "Closed, by users"]]);
  const amount = { open: makeNumber("load-rate", 20, 0.1, 100_000, "any"), closed: makeNumber("load-users", 10, 1, 10_000) };
  const amountFields = { open: makeField("Requests a second", amount.open), closed: makeField("Users", amount.closed) };
  const duration = makeNumber("load-duration", 30, 1, 86_400);
  const description = el("p", { class: "hint" });
  const start = el("button", { type: "submit", class: "button primary" }, "Start");
  const stop = el("button", { type: "button", class: "button stop" }, "Stop");
  const form = el("form", { class: "fields", hidden: true }, makeField("Profile", profile), makeField("Model", model),
    amountFields.open, amountFields.closed, makeField("Seconds", duration), el("div", { class: "field-actions" }, start, stop));
  const missing = el("p", { class: "note" }, "Reading the profiles");
  const headline = el("p", { class: "load-headline" });
  const numbers = makeNumbers({ time: "Time", requests: "Requests", rate: "Now", success: "Success now", p50: "p50 now", p99: "p99 now", flight: "Under way" });
  const report = el("div");
  const result = el("div", { class: "load-result", hidden: true }, headline, numbers.element, report);
  let profiles = [];
  let reported = null;

  async function read() {
    try {
      const answer = await api.get("/api/load-profiles");
      profiles = answer.profiles;
      profile.replaceChildren(...profiles.map(({ name }) => el("option", { value: name }, name)));
      if (profiles.some(({ name }) => name === store.load?.profile)) profile.value = store.load.profile;
      form.hidden = profiles.length === 0;
      setText(missing, answer.problems.map((one) => `${one.file}:${one.line}: ${one.field}: ${one.reason}`).join("; ")
        || (profiles.length === 0 ? "There are no load profiles yet: put a YAML file into load-profiles/." : ""));
      describe();
    } catch (problem) {
      setText(missing, problem.isMissing ? "This runner has no load generator for the page; a scenario brings its own load." : `The profiles could not be read. ${problem.message}`);
    }
    missing.hidden = missing.textContent === "";
  }

  function describe() {
    const chosen = profiles.find(({ name }) => name === profile.value);
    setText(description, chosen ? [chosen.description, ...(chosen.thresholds.length > 0 ? [inSigns(`Expects ${chosen.thresholds.join(", ")}`)] : [])].join(". ") : "");
    for (const [name, field] of Object.entries(amountFields)) {
      field.hidden = name !== model.value;
      amount[name].disabled = name !== model.value;
    }
  }
  profile.onchange = model.onchange = describe;

  form.onsubmit = async (event) => {
    event.preventDefault();
    const body = { profile: profile.value, model: model.value, duration: `${duration.value}s` };
    if (model.value === "open") body.rate = amount.open.valueAsNumber;
    else body.users = amount.closed.valueAsNumber;
    await act(start, `Could not start ${profile.value}`, async () => store.setLoad(await api.post("/api/load", { body })));
  };
  stop.onclick = () => act(stop, "Could not stop the load", async () => store.setLoad(await api.post("/api/load/stop")));

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
    const load = store.load;
    const isRunning = load !== null && ["running", "stopping"].includes(load.state);
    start.hidden = isRunning;
    stop.hidden = !isRunning;
    result.hidden = load === null;
    if (load === null) return;
    const { progress, summary } = load;
    setText(headline, { running: `${load.profile} runs`, stopping: `${load.profile} is stopping`, finished: `${load.profile} has ended`, failed: `${load.profile} failed: ${load.error}` }[load.state]);
    numbers.element.hidden = !progress || !isRunning;
    if (progress) {
      numbers.show({
        time: `${Math.round(progress.elapsed_s)} s`, requests: String(progress.requests), rate: rate(progress.recent_requests),
        success: percent(progress.recent_requests > 0 ? progress.recent_ok / progress.recent_requests : null),
        p50: latency(progress.recent_p50_ms), p99: latency(progress.recent_p99_ms), flight: String(progress.in_flight),
      });
    }
    if (reported === (summary ? load.id : null)) return;
    reported = summary ? load.id : null;
    report.replaceChildren(...(summary ? summaryParts(summary) : []));
  }

  scope.watch("load", show);
  read();
  return el("section", { class: "panel", "aria-labelledby": "generator-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "generator-title" }, "Load generator"), description), missing, form, result);
}

function summaryParts(summary) {
  const numbers = makeNumbers({ requests: "Requests", success: "Success", throughput: "Throughput", p50: "p50", p95: "p95", p99: "p99", max: "Max", late: "Sent late", dropped: "Never sent" });
  numbers.show({
    requests: String(summary.requests), success: percent(summary.success_rate), throughput: rate(summary.throughput_rps),
    p50: latency(summary.p50_ms), p95: latency(summary.p95_ms), p99: latency(summary.p99_ms), max: latency(summary.max_ms),
    late: String(summary.late_sends), dropped: String(summary.dropped),
  });
  const thresholds = summary.thresholds.map(({ threshold, held, measured }) =>
    el("li", { "data-held": String(held) }, el("span", { class: "badge", "data-verdict": held ? "held" : "deviated" }, held ? "✓ held" : "✕ missed"), ` ${inSigns(threshold)}, measured ${measured}`));
  const rows = summary.by_request.map((part) => [part.name, String(part.requests), percent(part.success_rate), latency(part.p50_ms), latency(part.p95_ms), latency(part.p99_ms)]);
  const answers = Object.entries(summary.by_status).sort().map(([status, count]) => `${status}: ${count}`).join(", ");
  return [
    numbers.element, thresholds.length > 0 && el("ul", { class: "thresholds" }, thresholds),
    makeTable("By kind of request", [["Request"], ["Requests", "number"], ["Success", "number"], ["p50", "number"], ["p95", "number"], ["p99", "number"]], rows),
    el("p", { class: "hint" }, `Answers: ${answers}. Seed ${summary.seed}.`),
  ].filter(Boolean);
}
