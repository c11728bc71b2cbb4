// How the services guard themselves against one another: by profile, or each pattern on its own.

import * as api from "../api.js";
import { el, setAttribute, setText } from "../lib/dom.js";
import { showProblem } from "../messages.js";

const PROFILES = [
  ["naive", "Naive", "No defence but time limits and deadlines. What most systems start with."],
  ["hardened", "Hardened", "Every pattern: failed calls are made again within a budget, what keeps failing is left alone, overload is refused."],
  ["retry-storm", "Retry storm", "Eager retries, five at once, with nothing that stops them. Shows how good intentions keep a system down."],
];
const PATTERNS = [
  ["retry", "Retries", "Failed calls are made again, where that is safe."],
  ["retry_budget", "Retry budget", "Extra attempts are at most a fifth of the calls, and one a second."],
  ["circuit_breaker", "Circuit breaker", "A service that keeps failing is left alone for two seconds."],
  ["hedging", "Hedging", "A call slower than 95 % of the last ones is made a second time beside the first."],
  ["load_shedding", "Load shedding", "What could only be answered late is refused at once, with 503."],
  ["deadlines", "Deadlines", "How long a caller will wait is sent on, and honoured."],
  ["accept_pending", "Accept pending", "A payment whose gateway is silent is answered 202 and settled later."],
];

export function mount(scope) {
  const { store, root } = scope;
  const state = el("p", { class: "hint", role: "status" }, "Reading the settings");
  const profiles = PROFILES.map(makeProfile);
  const patterns = PATTERNS.map(makePattern);
  const pool = makePool(send);
  const body = el("div", { class: "stack beside", hidden: true },
    el("fieldset", { class: "panel bare profiles" }, el("legend", {}, "Profile"), profiles.map(({ element }) => element)),
    el("section", { class: "panel", "aria-labelledby": "patterns-title" },
      el("h2", { id: "patterns-title" }, "Patterns"), el("ul", { class: "patterns" }, patterns.map(({ element }) => element))),
    pool.element);
  const missing = el("p", { class: "note", hidden: true }, "This runner has no resilience settings: its services always guard themselves in the same way.");

  root.append(el("div", { class: "view-head" }, el("div", {}, el("h1", {}, "Resilience"), state)), missing, body);

  function makeProfile([value, title, meaning]) {
    const input = el("input", { type: "radio", name: "profile", value, id: `profile-${value}`, "aria-describedby": `profile-${value}-meaning` });
    input.onchange = () => send({ profile: value });
    return { value, title, input, element: el("label", { class: "choice-card", for: input.id }, input, el("span", { class: "choice-title" }, title), el("span", { class: "hint", id: `profile-${value}-meaning` }, meaning)) };
  }

  function makePattern([name, title, meaning]) {
    const id = `pattern-${name}`;
    const input = el("input", { type: "checkbox", role: "switch", class: "good", id, "aria-describedby": `${id}-meaning` });
    input.onchange = () => send({ patterns: { [name]: input.checked } });
    return { name, input, element: el("li", { class: "pattern" }, input, el("label", { for: id }, title), el("p", { class: "hint", id: `${id}-meaning` }, meaning)) };
  }

  async function send(body) {
    try {
      store.setResilience(await api.put("/api/resilience", body));
    } catch (problem) {
      showProblem("Could not change the resilience", problem);
      show();
    }
  }

  function show() {
    const { resilience } = store;
    body.hidden = !resilience;
    missing.hidden = resilience !== null;
    state.hidden = resilience === null;
    if (!resilience) return;
    for (const { value, input } of profiles) input.checked = resilience.profile === value;
    for (const { name, input, element } of patterns) {
      input.checked = resilience.patterns[name] === true;
      setAttribute(element, "data-on", input.checked);
    }
    pool.show(resilience.inventory_pool);
    const on = PATTERNS.filter(([name]) => resilience.patterns[name]).length;
    const title = PROFILES.find(([value]) => value === resilience.profile)?.[1] ?? resilience.profile;
    setText(state, `${title}, ${on} of ${PATTERNS.length} patterns on. In force on every replica within a second.`);
  }

  scope.watch("resilience", show);
}

/** The inventory's warehouse: a few connections that are busy for a while each make a system with a known capacity. */
function makePool(send) {
  const toggle = el("input", { type: "checkbox", role: "switch", class: "good", id: "pool-on" });
  const number = (id, label, max, value) => {
    const input = el("input", { type: "number", id, min: 1, max, value, inputmode: "numeric" });
    return { input, element: el("div", { class: "field" }, el("label", { for: id }, label), input) };
  };
  const connections = number("pool-connections", "Connections", 256, 2);
  const hold = number("pool-hold", "Busy a call, ms", 5000, 80);
  const words = el("p", { class: "hint" });
  const element = el("section", { class: "panel", "aria-labelledby": "pool-title" },
    el("h2", { id: "pool-title" }, "Inventory pool"),
    el("p", { class: "hint" }, "A warehouse with a known size behind each inventory replica, so that there is a capacity to reach on every machine."),
    el("div", { class: "pool" }, el("div", { class: "switch-line" }, toggle, el("label", { for: toggle.id }, "Limit it")), connections.element, hold.element), words);

  function change() {
    send({ inventory_pool: toggle.checked ? { connections: connections.input.valueAsNumber, hold_ms: hold.input.valueAsNumber } : null });
  }
  toggle.onchange = change;
  for (const { input } of [connections, hold]) input.onchange = () => toggle.checked && input.checkValidity() && change();

  function show(pool) {
    toggle.checked = Boolean(pool);
    if (pool && document.activeElement !== connections.input) connections.input.value = pool.connections;
    if (pool && document.activeElement !== hold.input) hold.input.value = pool.hold_ms;
    setText(words, pool ? `Each replica does at most ${Math.floor((pool.connections * 1000) / pool.hold_ms)} calls a second; the rest waits in line.` : "No limit but the machine's.");
  }
  return { element, show };
}
