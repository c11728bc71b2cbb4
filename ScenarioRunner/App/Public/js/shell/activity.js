// What runs now, above every view: experiments with their phase and the time left, and loads. Each can be stopped here.

import * as api from "../api.js";
import { byId, el, reconcile, setAttribute, setText } from "../lib/dom.js";
import { announce, showProblem } from "../messages.js";
import { progressText, stopRun } from "../views/phases.js";

export function mountActivity(store) {
  const list = byId("activity");
  const heardStates = new Map();

  function items() {
    const runs = store.activeRuns.map((run) => ({
      key: run.id, name: run.experiment, phase: run.phase, words: progressText(run), href: "#/live",
      isStopping: run.state === "stopping", stop: () => stopRun(store, run),
    }));
    const loads = [
      [store.load, "/api/load/stop", (load) => load.profile, ["finished", "failed"]],
      [store.locust, "/api/locust/stop", (locust) => locust.file, ["finished"]],
    ].filter(([load, , , ended]) => load && !ended.includes(load.state)).map(([load, path, nameOf]) => ({
      key: load.id, name: nameOf(load), phase: null, words: load.state === "stopping" ? "stopping" : "load", href: "#/load",
      isStopping: load.state === "stopping", stop: () => stopLoad(path, nameOf(load)),
    }));
    return [...runs, ...loads];
  }

  async function stopLoad(path, name) {
    try {
      await api.post(path);
    } catch (problem) {
      showProblem(`Could not stop ${name}`, problem);
    }
  }

  function show() {
    reconcile(list, items(), { key: (item) => item.key, create: makeItem, update: updateItem });
  }

  /** Tells a screen reader of a new phase or verdict, once, and not of what was over before the page was opened. */
  function speak() {
    for (const run of store.runs) {
      const words = run.state === "finished" ? run.verdict : run.phase;
      const before = heardStates.get(run.id);
      heardStates.set(run.id, words);
      if (words && before !== words && (before !== undefined || run.state !== "finished")) announce(`${run.experiment}: ${words}`);
    }
    const known = new Set(store.runs.map(({ id }) => id));
    for (const id of heardStates.keys()) if (!known.has(id)) heardStates.delete(id);
  }

  store.watch("runs", () => (show(), speak()));
  store.watch("load", show);
  store.watch("locust", show);
  return { tick: show };
}

function makeItem() {
  const name = el("a");
  const words = el("span", { class: "progress-words" });
  const stop = el("button", { type: "button", class: "button stop small" }, "Stop");
  const element = el("li", {}, el("span", { class: "pulse", "aria-hidden": "true" }), name, words, stop);
  return { element, name, words, stop };
}

function updateItem({ element, name, words, stop }, item) {
  setAttribute(element, "data-phase", item.phase);
  setText(name, item.name);
  setAttribute(name, "href", item.href);
  setText(words, item.words);
  setText(stop, item.isStopping ? "Stopping" : "Stop");
  setAttribute(stop, "aria-label", `Stop ${item.name}`);
  stop.onclick = item.stop;
}
