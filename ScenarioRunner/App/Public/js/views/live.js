// The live charts on their own: large, with a pause, and a cursor for the keyboard.

import { now } from "../lib/clock.js";
import { el, setAttribute, setText } from "../lib/dom.js";
import { clock } from "../lib/format.js";
import { announce } from "../messages.js";
import { failureWords } from "../store.js";
import { makeCharts } from "./charts.js";
import { progressText } from "./phases.js";

// What is above, below and between the charts, so that all three are seen at once where a screen has room for them.
const OTHER_HEIGHT = 440;

function chartHeight() {
  return Math.round(Math.min(300, Math.max(160, (innerHeight - OTHER_HEIGHT) / 3)));
}

export function mount(scope) {
  const { store, root } = scope;
  const charts = makeCharts(scope, { height: chartHeight() });
  const hint = el("p", { class: "hint" });
  const pause = el("button", { type: "button", class: "button", "aria-pressed": "false" }, "Pause");
  const board = el("div", { class: "board", tabindex: 0, role: "group",
    "aria-label": "Charts. The arrow keys left and right read single seconds, Escape goes back to now." }, charts.element);
  const empty = el("p", { class: "note" }, "Nothing was measured in the last 5 minutes. ",
    el("a", { href: "#/scenarios" }, "Run a scenario"), " or ", el("a", { href: "#/load" }, "put load on the system"), " to see traffic.");
  let held = null;

  root.append(
    el("div", { class: "view-head" }, el("h1", {}, "Live charts"), hint, el("div", { class: "head-actions" }, pause)),
    empty,
    el("section", { class: "panel", "aria-label": "Live charts" }, board,
      el("ul", { class: "legend", "aria-label": "Legend" },
        ["baseline", "fault", "recovery"].map((phase) => el("li", { class: "key", "data-phase": phase }, phase)),
        el("li", { class: "key", "data-mark": "" }, "payment failures on"))));

  pause.onclick = () => {
    held = held === null ? now() : null;
    charts.hold(held);
    setText(pause, held === null ? "Pause" : "Go on");
    setAttribute(pause, "aria-pressed", String(held !== null));
    showHint();
  };

  board.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -15, PageDown: 15 }[event.key];
    if (step) {
      event.preventDefault();
      announce(charts.step(step));
    } else if (event.key === "Escape") charts.clear();
  };
  board.onblur = () => charts.clear();

  function showHint() {
    const running = store.activeRuns.map((run) => `${run.experiment}: ${progressText(run)}`);
    const words = [...running, ...failureWords(store.failureModes)].join(" · ");
    setText(hint, held === null ? words || "The last 5 minutes, one point a second" : `Paused at ${clock(held)}; measuring goes on`);
  }

  scope.watch("seconds", () => (empty.hidden = store.seconds.within(now()).length > 0));
  scope.watch(["runs", "failureModes"], showHint);
  scope.tick(showHint);
}
