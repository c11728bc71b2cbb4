// The catalogue: a card an experiment, grouped by what kind of thing it does.

import * as api from "../api.js";
import { byId, el, reconcile, setText } from "../lib/dom.js";
import { showProblem } from "../messages.js";
import { makeCard } from "./experiment-card.js";

const REFUSED = "refused";
const GROUP_TITLES = {
  NetworkChaos: "Network",
  StressChaos: "CPU and memory",
  PodChaos: "Replicas",
  Schedule: "Schedules",
  Workflow: "Workflows",
  [REFUSED]: "Not possible with this runner",
};

/** @param reread reads the catalogue again */
export function mountExperiments(store, reread) {
  const container = byId("experiment-groups");
  const cards = new Map();
  const starting = new Set();

  function showAll() {
    if (store.experimentsProblem && !store.experiments) return showNote(unreadNote(store.experimentsProblem, reread));
    if (!store.experiments) return;
    if (store.experiments.length === 0) return showNote(emptyNote());
    container.querySelector(".note")?.remove();
    cards.clear();
    reconcile(container, groupsOf(store.experiments), {
      key: (group) => group.kind,
      create: makeGroup,
      update: updateGroup,
    });
  }

  function showNote(note) {
    container.views?.clear();
    container.replaceChildren(note);
  }

  function makeGroup({ kind }) {
    const list = el("ul", { class: "cards" });
    const count = el("span", { class: "count" });
    return { element: el("div", { class: "group" }, el("h3", {}, GROUP_TITLES[kind] ?? kind, " ", count), list), list, count };
  }

  function updateGroup({ list, count }, { experiments }) {
    setText(count, String(experiments.length));
    reconcile(list, experiments, {
      key: (experiment) => experiment.name,
      create: () => makeCard({ onRun: run, onStop: stop }),
      update: (card, experiment) => {
        cards.set(experiment.name, card);
        card.showExperiment(experiment);
        showRunsOf(experiment.name);
      },
    });
  }

  function showRunsOf(name) {
    cards.get(name)?.showRuns({
      running: store.runningOf(name),
      last: store.lastOf(name),
      starting: starting.has(name),
      waiting: store.cooldownSeconds > 0,
    });
  }

  function showRuns() {
    for (const name of cards.keys()) showRunsOf(name);
  }

  async function run(experiment) {
    if (starting.has(experiment.name)) return;
    starting.add(experiment.name);
    showRunsOf(experiment.name);
    try {
      await api.post("/api/runs", { body: { experiment: experiment.name, origin: "page" } });
    } catch (problem) {
      showProblem(`Could not start ${experiment.name}`, problem);
    } finally {
      starting.delete(experiment.name);
      showRunsOf(experiment.name);
    }
  }

  async function stop(run) {
    try {
      store.putRun(await api.post(`/api/runs/${encodeURIComponent(run.id)}/stop`));
    } catch (problem) {
      showProblem(`Could not stop ${run.experiment}`, problem);
    }
  }

  store.watch("experiments", showAll);
  store.watch("runs", showRuns);
  store.watch("rateLimit", showRuns);
  return { tick: showRuns };
}

/** `[{kind, experiments}]`, in the order of the files; what is refused comes last, whatever its kind. */
function groupsOf(experiments) {
  const groups = new Map();
  const runnable = experiments.filter((experiment) => experiment.supported);
  for (const experiment of runnable) groups.set(experiment.kind, [...(groups.get(experiment.kind) ?? []), experiment]);
  const refused = experiments.filter((experiment) => !experiment.supported);
  if (refused.length > 0) groups.set(REFUSED, refused);
  return [...groups].map(([kind, members]) => ({ kind, experiments: members }));
}

function emptyNote() {
  return el("p", { class: "note" }, "No experiments yet. Put a Chaos Mesh manifest (NetworkChaos or StressChaos) into ",
    el("code", {}, "chaos-experiments/"), " and start the runner again.");
}

function unreadNote(problem, reread) {
  return el("div", { class: "note", role: "alert" }, el("p", {}, `The experiments could not be read. ${problem.message}`),
    el("button", { type: "button", class: "button", onclick: reread }, "Try again"));
}
