// The bar at the top: is the page live, and may an experiment start?

import * as api from "../api.js";
import { byId, el, setAttribute, setText } from "../lib/dom.js";
import { countdown } from "../lib/format.js";
import { announce, showProblem } from "../messages.js";

const CONNECTION_WORDS = { connecting: "Connecting", live: "Live", lost: "Connection lost, reconnecting" };

export function mountGovernance(store) {
  const connection = byId("connection");
  const when = el("span", { class: "limit-when", id: "limit-when" });
  const pips = el("span", { class: "pips", "aria-hidden": "true" });
  const places = el("span", { class: "limit-places" });
  const reset = byId("limit-reset");
  byId("limit").append(when, el("span", { class: "limit-active" }, pips, places));
  let cooling = false;

  function showConnection() {
    setAttribute(connection, "data-state", store.connection);
    setAttribute(document.body, "data-connection", store.connection);
    setText(connection.firstElementChild, CONNECTION_WORDS[store.connection]);
  }

  function showLimit() {
    if (!store.rateLimit) return;
    const { active, places: total } = store.rateLimit;
    const left = store.cooldownSeconds;
    setText(when, readiness(left, active < total));
    setText(places, `${active} of ${total} active`);
    if (pips.children.length !== total) pips.replaceChildren(...Array.from({ length: total }, () => el("i")));
    [...pips.children].forEach((pip, index) => setAttribute(pip, "data-taken", index < active));
    reset.hidden = left === 0;
    if (cooling && left === 0) announce("The next experiment can start.");
    cooling = left > 0;
  }

  function readiness(left, hasPlace) {
    if (store.halted) return "Halted";
    if (left > 0) return `Next experiment in ${countdown(left)}`;
    return hasPlace ? "Ready" : "No place free";
  }

  reset.onclick = async () => {
    try {
      await api.post("/api/chaos-rate-limit-reset");
      byId("halt").focus();
    } catch (problem) {
      showProblem("Could not reset the cooldown", problem);
    }
  };

  store.watch("connection", showConnection);
  store.watch("rateLimit", showLimit);
  store.watch("halted", showLimit);
  return { tick: showLimit };
}
