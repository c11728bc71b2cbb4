// The catalogue: a card a scenario, grouped by what kind of thing it does, to search, to plan, to run and to stop.

import * as api from "../api.js";
import { readExperiments } from "../catalogue.js";
import { el, reconcile, setText } from "../lib/dom.js";
import { showProblem } from "../messages.js";
import { stopRun } from "./phases.js";
import { makePlanDialog } from "./plan-dialog.js";
import { makeCard } from "./scenario-card.js";

const REFUSED = "refused";
const GROUPS = {
  NetworkChaos: "Network", StressChaos: "CPU, memory and disk", PodChaos: "Replicas", FailureModes: "Payment failures",
  Workflow: "Workflows", Schedule: "Schedules", [REFUSED]: "Not possible with this runner",
};

export function mount(scope) {
  const { store, root } = scope;
  const container = el("div", { class: "groups" });
  const search = el("input", { type: "search", id: "scenario-search", placeholder: "Search by name, target or effect", autocomplete: "off", "aria-keyshortcuts": "/" });
  const kinds = el("div", { class: "chips", role: "group", "aria-label": "Kind" });
  const found = el("p", { class: "hint", role: "status" });
  const note = el("div", { class: "note" });
  const problems = makeProblems();
  const cards = new Map();
  const starting = new Set();
  const dialog = makePlanDialog(store, run);
  let kind = null;

  root.append(
    el("div", { class: "view-head" }, el("div", {}, el("h1", {}, "Scenarios"),
      el("p", { class: "hint" }, "From the files in ", el("code", {}, "chaos-experiments/"), ". A changed file shows here by itself."))),
    el("div", { class: "toolbar" }, el("label", { class: "visually-hidden", for: search.id }, "Search scenarios"), search, kinds, found),
    note, problems.element, container, dialog.element);

  function showAll() {
    const problem = store.experimentsProblem;
    note.replaceChildren();
    if (!store.experiments) {
      note.append(problem ? unread(problem) : el("p", {}, "Reading the scenarios"));
      return;
    }
    if (store.experiments.length === 0) {
      note.append(el("p", {}, "No scenarios yet. Put a Chaos Mesh manifest into ", el("code", {}, "chaos-experiments/"), ", and it appears here."));
    }
    problems.show(store.experimentProblems);
    showKinds();
    const shown = store.experiments.filter((experiment) => (kind === null || groupOf(experiment) === kind) && matches(experiment, search.value));
    if (store.experiments.length > 0 && shown.length === 0) note.append(el("p", {}, "Nothing matches. Try fewer letters, or all kinds."));
    setText(found, shown.length === store.experiments.length ? `${shown.length} scenarios` : `${shown.length} of ${store.experiments.length}`);
    cards.clear();
    reconcile(container, groupsOf(shown), { key: (group) => group.kind, create: makeGroup, update: updateGroup });
  }

  function showKinds() {
    const present = Object.keys(GROUPS).filter((name) => store.experiments.some((experiment) => groupOf(experiment) === name));
    reconcile(kinds, [null, ...present], {
      key: (name) => String(name),
      create: (name) => ({ element: el("button", { type: "button", class: "chip", onclick: () => ((kind = name), showAll()) }, name === null ? "All" : GROUPS[name]) }),
      update: ({ element }, name) => element.setAttribute("aria-pressed", String(kind === name)),
    });
  }

  function makeGroup({ kind: name }) {
    const list = el("ul", { class: "cards" });
    const count = el("span", { class: "count" });
    return { element: el("section", { class: "group" }, el("h2", {}, GROUPS[name] ?? name, " ", count), list), list, count };
  }

  function updateGroup({ list, count }, { experiments }) {
    setText(count, String(experiments.length));
    reconcile(list, experiments, {
      key: (experiment) => experiment.name,
      create: () => makeCard({ onRun: (experiment) => run(experiment), onPlan: (experiment) => dialog.open(experiment), onStop: (one) => stopRun(store, one) }),
      update: (card, experiment) => {
        cards.set(experiment.name, card);
        card.showExperiment(experiment);
        showRunsOf(experiment.name);
      },
    });
  }

  function showRunsOf(name) {
    cards.get(name)?.showRuns({
      running: store.runningOf(name), last: store.lastOf(name), starting: starting.has(name),
      isWaiting: store.cooldownSeconds > 0 || store.halted === true,
    });
  }

  function showRuns() {
    for (const name of cards.keys()) showRunsOf(name);
  }

  /** Starts a run; resolves to whether it was accepted. */
  async function run(experiment, options = {}) {
    if (starting.has(experiment.name)) return false;
    starting.add(experiment.name);
    showRunsOf(experiment.name);
    try {
      const started = await api.post("/api/runs", { body: { experiment: experiment.name, origin: "page", ...options } });
      if (!store.runs.some(({ id }) => id === started.id)) store.putRun(started);
      return true;
    } catch (problem) {
      showProblem(`Could not start ${experiment.name}`, problem);
      return false;
    } finally {
      starting.delete(experiment.name);
      showRunsOf(experiment.name);
    }
  }

  function unread(problem) {
    return el("div", { role: "alert" }, el("p", {}, `The scenarios could not be read. ${problem.message}`),
      el("button", { type: "button", class: "button", onclick: () => readExperiments(store) }, "Try again"));
  }

  function onKey(event) {
    if (event.key !== "/" || event.target.closest("input, select, textarea, dialog")) return;
    event.preventDefault();
    search.focus();
  }
  document.addEventListener("keydown", onKey);
  scope.ending(() => document.removeEventListener("keydown", onKey));

  search.oninput = showAll;
  scope.watch("experiments", showAll);
  scope.watch(["runs", "rateLimit", "halted"], showRuns);
  scope.tick(showRuns);
}

/** What is wrong with the files that do not load, so that none is missed without a word. */
function makeProblems() {
  const count = el("span", { class: "count" });
  const list = el("ul", { class: "file-problems" });
  const element = el("section", { class: "group", "aria-label": "Problems in the files", hidden: true }, el("h2", {}, "Problems in the files ", count), list);

  function show(problems) {
    element.hidden = problems.length === 0;
    setText(count, String(problems.length));
    list.replaceChildren(...problems.map(({ file, line, field, reason }) => el("li", { class: "refusal" },
      el("code", {}, `${file.split("/").at(-1)}:${line}`), field && [" ", el("code", {}, field)], ` ${reason}`)));
  }
  return { element, show };
}

function groupOf(experiment) {
  return experiment.supported ? experiment.kind : REFUSED;
}

/** `[{kind, experiments}]`, in the order of GROUPS; what is refused comes last, whatever its kind. */
function groupsOf(experiments) {
  const groups = new Map(Object.keys(GROUPS).map((name) => [name, []]));
  for (const experiment of experiments) groups.set(groupOf(experiment), [...(groups.get(groupOf(experiment)) ?? []), experiment]);
  return [...groups].filter(([, members]) => members.length > 0).map(([name, members]) => ({ kind: name, experiments: members }));
}

/** Whether every word of the search is somewhere in what the card says. */
function matches(experiment, search) {
  const text = [experiment.name, experiment.target, experiment.description, experiment.effective_dose, experiment.kind].join(" ").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
