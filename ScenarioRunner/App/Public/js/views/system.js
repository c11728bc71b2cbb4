// The first view: is anything broken now, where, and what do users feel?

import * as api from "../api.js";
import { now } from "../lib/clock.js";
import { el, setAttribute, setText } from "../lib/dom.js";
import { faultWords, plannedFault, tierOf, toldFaults } from "../lib/faults.js";
import { percent, rate } from "../lib/format.js";
import { failureWords } from "../store.js";
import { makeCharts } from "./charts.js";
import { CLIENT, makeTopology } from "./topology.js";

const RECENT_SECONDS = 4;
const GOOD_SUCCESS = 0.99;

export function mount(scope) {
  const { store, root } = scope;
  const headline = el("h1", { class: "headline", tabindex: -1 }, "System");
  const sentence = el("p", { class: "hint", "aria-live": "polite" });
  const topology = makeTopology(scope);
  const charts = makeCharts(scope, { height: 170 });
  const modes = el("p", { class: "modes" });
  const invitation = el("p", { class: "note" }, "No traffic now. ", el("a", { href: "#/scenarios" }, "Run a scenario"),
    " and watch this picture, or ", el("a", { href: "#/load" }, "put load on the system"), " first.");
  const plans = new Map();

  root.append(
    el("div", { class: "view-head" }, el("div", {}, headline, sentence)),
    el("section", { class: "panel", "aria-label": "Topology" }, topology.element, modes),
    el("section", { class: "panel", "aria-labelledby": "system-charts" },
      el("div", { class: "panel-head" }, el("h2", { id: "system-charts" }, "What users feel"),
        el("p", { class: "hint" }, "the last 5 minutes"), el("a", { class: "more", href: "#/live" }, "Larger")),
      charts.element, invitation));

  /** The plan of each run under way, for runners that do not tell where faults act. */
  async function readPlans() {
    if (store.topology?.faults) return;
    const names = new Set(store.activeRuns.map(({ experiment }) => experiment));
    for (const name of plans.keys()) if (!names.has(name)) plans.delete(name);
    for (const name of names) {
      if (plans.has(name)) continue;
      plans.set(name, null);
      try {
        plans.set(name, await api.get(`/api/experiments/${encodeURIComponent(name)}/plan`));
      } catch {
        plans.delete(name);
      }
      show();
    }
  }

  function faultsNow() {
    if (store.topology?.faults) return toldFaults(store.topology.faults);
    return store.activeRuns.filter((run) => run.phase === "fault").flatMap((run) => {
      const experiment = store.experiments?.find(({ name }) => name === run.experiment);
      const plan = plans.get(run.experiment);
      return experiment && plan ? [plannedFault(experiment, plan)] : [];
    });
  }

  function latestSecond() {
    const entry = store.seconds.within(now()).at(-1);
    return entry && now() - entry.time < RECENT_SECONDS ? entry : null;
  }

  /** What is measured on each path; of the users' own at least what the load sees. */
  function pathsNow() {
    const told = (store.topology?.paths ?? []).map((path) => ({ ...path, from: tierOf(path.from), to: tierOf(path.to) }));
    if (told.some((path) => path.from === CLIENT)) return told;
    const second = latestSecond();
    if (!second || second.requests === 0) return told;
    return [...told, { from: CLIENT, to: "payment", rate_rps: second.requests, success_rate: second.success, p95_ms: second.p95 ?? second.p99 }];
  }

  function show() {
    if (!scope.isOpen) return;
    const faults = faultsNow();
    topology.show(store.topology, pathsNow(), faults);
    const failures = failureWords(store.failureModes);
    setText(modes, failures.length > 0 ? `At the gateway: ${failures.join(", ")}` : "");
    const second = latestSecond();
    const down = (store.topology?.services ?? []).flatMap(({ replicas }) => replicas).filter(({ state }) => state !== "up");
    const [mood, title, words] = inOneGlance(faults, failures, down, second);
    setText(headline, title);
    setAttribute(root, "data-mood", mood);
    setText(sentence, words);
    invitation.hidden = store.seconds.within(now()).length > 0;
    charts.element.hidden = !invitation.hidden;
  }

  function inOneGlance(faults, failures, down, second) {
    const feel = !second || second.success === null ? "No load on the system."
      : `${percent(second.success)} of ${rate(second.requests)} succeed.`;
    if (store.halted) return ["halted", "Halted", "Every fault is gone. Nothing starts until you re-arm."];
    if (faults.length > 0) return ["fault", faults.length === 1 ? "A fault acts" : `${faults.length} faults act`, `${faults.map(faultWords).join("; ")}. ${feel}`];
    if (down.length > 0) return ["fault", down.length === 1 ? `${down[0].name} is ${down[0].state}` : `${down.length} replicas are not up`, feel];
    if (failures.length > 0) return ["fault", "Payments fail on purpose", `${failures.join(", ")}. ${feel}`];
    if (second && second.success !== null && second.success < GOOD_SUCCESS) return ["fault", "Users see failures", `No fault acts, and yet: ${feel}`];
    if (!store.topology) return ["calm", "System", "Reading the system"];
    return ["calm", "All is well", `Every replica is up, and nothing is broken. ${feel}`];
  }

  scope.watch(["runs", "experiments"], () => (readPlans(), show()));
  scope.watch(["topology", "seconds", "failureModes", "halted"], show);
  scope.tick(show);
}
