// Which view is shown: the part of the address after "#/". A view is fetched when it is first asked for.
//
//   #/runs/RUN-01 --> view "runs", parameters ["RUN-01"]
//
// A view is a module with `mount(scope, parameters)`; what it watches ends with it.

import { byId, el } from "./lib/dom.js";

const FIRST = "system";
const VIEWS = {
  system: ["System", () => import("./views/system.js")],
  live: ["Live charts", () => import("./views/live.js")],
  scenarios: ["Scenarios", () => import("./views/scenarios.js")],
  failures: ["Payment failures", () => import("./views/failures.js")],
  resilience: ["Resilience", () => import("./views/resilience.js")],
  load: ["Load", () => import("./views/load.js")],
  runs: ["Runs", () => import("./views/runs.js")],
  compare: ["Two runs compared", () => import("./views/compare.js")],
  payments: ["Payments", () => import("./views/payments.js")],
};

/** What a view lives in: its place on the page, and everything that has to end with it. */
class Scope {
  #endings = [];
  #ticks = [];

  constructor(store, root) {
    this.store = store;
    this.root = root;
    this.isOpen = true;
  }

  /** Calls `watcher` now, and after every change of one of `parts` of the store, as long as the view is shown. */
  watch(parts, watcher) {
    for (const part of [parts].flat()) this.#endings.push(this.store.watch(part, watcher));
    watcher();
  }

  /** Calls `task` once a second while somebody looks. */
  tick(task) {
    this.#ticks.push(task);
  }

  /** Calls `task` when the view goes away. */
  ending(task) {
    this.#endings.push(task);
  }

  everySecond() {
    for (const task of this.#ticks) task();
  }

  close() {
    this.isOpen = false;
    for (const end of this.#endings.splice(0)) end();
    this.#ticks = [];
  }
}

/** A part of the address as it was meant; as it stands where somebody typed a bare `%`. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function startRouter(store) {
  const main = byId("main");
  const links = [...byId("nav").children];
  let scope = null;
  let isFirst = true;

  async function show() {
    const [name, ...parameters] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
    const view = VIEWS[name] ? name : FIRST;
    const [title, load] = VIEWS[view];
    for (const link of links) {
      const isHere = link.getAttribute("href") === `#/${view === "compare" ? "runs" : view}`;
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      if (isHere) link.scrollIntoView({ block: "nearest", inline: "center" });
    }
    const root = el("div", { class: `view view-${view}` });
    const next = new Scope(store, root);
    scope?.close();
    scope = next;
    try {
      const module = await load();
      if (scope !== next) return;
      main.replaceChildren(root);
      module.mount(next, parameters);
    } catch (error) {
      if (scope !== next) return;
      console.error(error);
      main.replaceChildren(el("div", { class: "view" }, el("h1", {}, title),
        el("p", { class: "note", role: "alert" }, "This view could not be loaded. See whether the runner still runs, then reload the page.")));
    }
    document.title = `${title} · payment-chaos`;
    if (!isFirst) {
      scrollTo(0, 0);
      main.focus({ preventScroll: true });
    }
    isFirst = false;
  }

  // The link that skips to the content is no view.
  addEventListener("hashchange", () => location.hash !== "#main" && show());
  show();
  return { tick: () => scope?.everySecond() };
}
