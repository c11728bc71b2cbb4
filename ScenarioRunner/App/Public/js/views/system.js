// The first view: is anything broken now, where, and what do users feel?

import { now } from "../lib/clock.js";
import { el, setAttribute, setText } from "../lib/dom.js";
import { faultsOf, faultWords } from "../lib/faults.js";
import { percent, rate } from "../lib/format.js";
import { failuresOn, failureWords } from "../store.js";
import { makeCharts } from "./charts.js";
import { makeTopology } from "./topology.js";

const RECENT_SECONDS = 4;
const GOOD_SUCCESS = 0.99;

export function mount(scope) {
  const { store, root } = scope;
  // The sentence has numbers that change every second: a screen reader hears of the headline alone.
  const headline = el("h1", { class: "headline", "aria-live": "polite" }, "System");
  const sentence = el("p", { class: "hint" });
  const site = el("p", { class: "hint" });
  const topology = makeTopology(scope);
  const charts = makeCharts(scope, { height: 170 });
  const invitation = el("p", { class: "note" }, "No traffic now. ", el("a", { href: "#/scenarios" }, "Run a scenario"),
    " and watch this picture, or ", el("a", { href: "#/load" }, "put load on the system"), " first.");

  root.append(
    el("div", { class: "view-head" }, el("div", {}, headline, sentence, site)),
    el("section", { class: "panel", "aria-label": "Topology" }, topology.element),
    el("section", { class: "panel", "aria-labelledby": "system-charts" },
      el("div", { class: "panel-head" }, el("h2", { id: "system-charts" }, "What users feel"),
        el("p", { class: "hint" }, "the last 5 minutes"), el("a", { class: "more", href: "#/live" }, "Larger")),
      charts.element, invitation));

  function latestSecond() {
    const entry = store.seconds.within(now()).at(-1);
    return entry && now() - entry.time < RECENT_SECONDS ? entry : null;
  }

  function show() {
    if (!scope.isOpen) return;
    const faults = faultsOf(store.topology);
    topology.show(store.topology, faults, failuresOn(store.failureModes));
    const failures = failureWords(store.failureModes);
    const second = latestSecond();
    const down = (store.topology?.services ?? []).flatMap(({ replicas }) => replicas).filter(({ state }) => state !== "up");
    const [mood, title, words] = inOneGlance(faults, failures, down, second);
    setText(headline, title);
    setAttribute(root, "data-mood", mood);
    setText(sentence, words);
    setText(site, siteWords(store.topology?.site));
    site.hidden = site.textContent === "";
    invitation.hidden = store.seconds.within(now()).length > 0;
    charts.element.hidden = !invitation.hidden;
  }

  function inOneGlance(faults, failures, down, second) {
    const feel = !second || second.success === null ? "No load on the system."
      : `${percent(second.success)} of ${rate(second.requests)} succeed.`;
    if (store.halted) return ["halted", "Halted", "Every fault is gone. Nothing starts until you re-arm."];
    if (faults.length > 0) return ["fault", faults.length === 1 ? "A fault acts" : `${faults.length} faults act`, `${[...faults.map(faultWords), ...failures].join("; ")}. ${feel}`];
    if (down.length > 0) return ["fault", down.length === 1 ? `${down[0].name} is ${down[0].state}` : `${down.length} replicas are not up`, feel];
    if (failures.length > 0) return ["fault", "Payments fail on purpose", `${failures.join(", ")}. ${feel}`];
    if (second && second.success !== null && second.success < GOOD_SUCCESS) return ["fault", "Users see failures", `No fault acts, and yet: ${feel}`];
    if (!store.topology) return ["calm", "System", "Reading the system"];
    if (store.topology.services.every(({ replicas }) => replicas.length === 0)) return ["calm", "Nothing is broken on purpose", feel];
    return ["calm", "All is well", `Every replica is up, and nothing is broken. ${feel}`];
  }

  /** Where all this is, when it is not the lab. */
  function siteWords(site) {
    const words = [];
    if (site?.namespace) words.push(`${site.engine} in namespace ${site.namespace}`);
    if (site?.namespace && !site.reaches_replicas) words.push("seen from outside of the cluster, so that what only the pods tell is not known");
    if (site?.complaint) words.push(site.complaint);
    return words.length === 0 ? "" : `${words.join("; ")}.`;
  }

  scope.watch(["topology", "seconds", "failureModes", "halted"], show);
  scope.tick(show);
}
