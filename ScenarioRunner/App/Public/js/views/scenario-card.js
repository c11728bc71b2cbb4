// One scenario: what it does, to whom, how much; Plan, Run and Stop; how far it is, and how it last ended.

import { el, setAttribute, setHidden, setText } from "../lib/dom.js";
import { duration, inSigns, moment } from "../lib/format.js";
import { PHASES, progressText } from "./phases.js";
import { makeBadge, runLink, showVerdict } from "./verdict.js";

let cardCount = 0;

/** Makes an empty card; `onRun(experiment)`, `onPlan(experiment)` and `onStop(run)` are called when a person asks for it. */
export function makeCard({ onRun, onPlan, onStop }) {
  const id = `scenario-${(cardCount += 1)}`;
  const title = el("h3", { id });
  const place = el("p", { class: "place" });
  const description = el("p", { class: "description" });
  const dose = el("p", { class: "dose" });
  const facts = { target: el("dd"), duration: el("dd"), hypothesis: el("dd") };
  const refusal = el("p", { class: "refusal", hidden: true });
  const progress = makeProgress();
  const last = makeLastRun();
  const button = (kind, words) => el("button", { type: "button", class: `button ${kind}`, "aria-describedby": id }, words);
  const [planButton, runButton, stopButton] = [button("quiet-action", "Plan"), button("primary", "Run"), button("stop", "Stop")];
  const hypothesisRow = el("div", {}, el("dt", {}, "Expect"), facts.hypothesis);
  const element = el("li", { class: "card", "aria-labelledby": id },
    el("div", { class: "card-head" }, title, place), description, dose,
    el("dl", { class: "facts" },
      el("div", {}, el("dt", {}, "Target"), facts.target),
      el("div", {}, el("dt", {}, "Lasts"), facts.duration),
      hypothesisRow),
    refusal, progress.element,
    el("div", { class: "card-foot" }, last.element, el("div", { class: "actions" }, planButton, runButton, stopButton)));

  function showExperiment(experiment) {
    setText(title, experiment.name);
    setText(place, `${experiment.file.split("/").at(-1)}:${experiment.line}`);
    setText(description, experiment.description);
    description.hidden = !experiment.description;
    setText(dose, inSigns(experiment.effective_dose || "–"));
    setText(facts.target, inSigns(experiment.target || "–"));
    setText(facts.duration, experiment.duration_s === null ? "as the plan says" : duration(experiment.duration_s));
    setText(facts.hypothesis, inSigns(experiment.hypothesis ?? ""));
    hypothesisRow.hidden = !experiment.hypothesis;
    setAttribute(element, "data-refused", !experiment.supported);
    refusal.hidden = experiment.supported;
    setText(refusal, experiment.refusal ?? "");
    runButton.parentElement.hidden = !experiment.supported;
    runButton.onclick = () => onRun(experiment);
    planButton.onclick = () => onPlan(experiment);
  }

  function showRuns({ running, last: ended, starting, isWaiting }) {
    setAttribute(element, "data-running", running !== null);
    progress.show(running);
    last.show(running ? null : ended);
    setText(runButton, starting ? "Starting" : "Run");
    setAttribute(runButton, "data-waiting", isWaiting || starting);
    stopButton.onclick = () => running && onStop(running);
    setText(stopButton, running?.state === "stopping" ? "Stopping" : "Stop");
    setHidden(runButton, running !== null, stopButton);
    setHidden(stopButton, running === null, runButton);
  }

  return { element, showExperiment, showRuns };
}

/** The phases as a row of steps, the present one marked, with the time left in words. */
function makeProgress() {
  const words = el("p", { class: "progress-words" });
  const steps = PHASES.map((phase) => el("li", { "data-phase": phase }, el("span", { class: "visually-hidden" }, phase)));
  const element = el("div", { class: "progress", hidden: true }, el("ol", { class: "steps" }, steps), words);

  function show(run) {
    element.hidden = run === null;
    if (run === null) return;
    const present = PHASES.indexOf(run.phase);
    steps.forEach((step, index) => {
      setAttribute(step, "data-step", index < present ? "done" : index === present ? "present" : "ahead");
      setAttribute(step, "aria-current", index === present ? "step" : null);
    });
    setText(words, progressText(run));
    setAttribute(words, "data-phase", run.phase);
  }
  return { element, show };
}

function makeLastRun() {
  const badge = makeBadge();
  const link = el("a", {}, "report");
  const element = el("p", { class: "last-run", hidden: true }, badge, link);

  function show(run) {
    element.hidden = run === null;
    if (run === null) return;
    showVerdict(badge, run.verdict);
    setAttribute(link, "href", runLink(run));
    setAttribute(link, "aria-label", `report of ${run.experiment}, ${moment(run.started_at)}`);
  }
  return { element, show };
}
