// The payment failures: a switch each, how many payments they hit, and for the silent gateway how long it is silent and
// where on its way the answer is lost.

import * as api from "../api.js";
import { el, setText } from "../lib/dom.js";
import { showProblem } from "../messages.js";
import { failureWords } from "../store.js";
import { makeFailureRow } from "./failure-row.js";

// In the order of a payment's way; the values are those of the API.
const PHASES = [
  {
    value: "before-charge",
    title: "Before the charge",
    meaning: "The request is lost on its way to the gateway: nothing is charged, and the payment ends as failed.",
  },
  {
    value: "after-charge",
    title: "After the charge",
    meaning: "The customer is charged, and the payment service does not hear of it: it asks the gateway later, and completes the payment.",
  },
  {
    value: "response-lost",
    title: "Response lost",
    meaning: "The payment completes at once; only its caller hears nothing.",
  },
];

// `usual` is offered while a failure is off and no other value has been chosen.
const FAILURES = [
  {
    key: "gateway_timeout",
    path: "gateway-timeout",
    title: "Gateway timeout",
    usual: 15,
    hasDelay: true,
    phases: PHASES,
    effect: (share, delay) => `${share} of payments answer 504 after ${delay} of silence. Their status tells how they end.`,
  },
  {
    key: "card_decline",
    path: "card-decline",
    title: "Card decline",
    usual: 20,
    effect: (share) => `${share} of payments are declined by the issuer: 402.`,
  },
  {
    key: "stolen_card",
    path: "stolen-card",
    title: "Stolen card",
    usual: 10,
    effect: (share) => `${share} of payments are declined as made with a stolen card: 402, in the words of any decline.`,
  },
];

export function mount(scope) {
  const { store, root } = scope;
  const rows = FAILURES.map((failure) => makeFailureRow(failure, (settings) => change(failure, settings)));
  const reset = el("button", { type: "button", class: "button" }, "Reset all");
  const state = el("p", { class: "hint", role: "status" });
  const seed = el("code");
  const seedLine = el("p", { class: "hint", hidden: true }, "Which payments are hit is decided by the seed ", seed, " and each payment's own key.");
  let queue = Promise.resolve();

  root.append(
    el("div", { class: "view-head" }, el("div", {}, el("h1", {}, "Payment failures"), state), el("div", { class: "head-actions" }, reset)),
    el("section", { class: "panel", "aria-label": "Payment failures" }, rows.map((row) => row.element)),
    seedLine);

  function show() {
    if (!store.failureModes) return;
    FAILURES.forEach(({ key }, index) => rows[index].show({
      enabled: store.failureModes[`${key}_enabled`],
      probability: store.failureModes[`${key}_probability`],
      delay: store.failureModes[`${key}_delay`],
      phase: store.failureModes[`${key}_phase`],
    }));
    const words = failureWords(store.failureModes);
    setText(state, words.length > 0 ? `In force on every payment replica: ${words.join(", ")}` : "All off. What is switched on is in force on every payment replica within a second.");
  }

  function change({ path, title }, settings) {
    enqueue(() => send(`/api/payment-scenarios/${path}`, settings, `Could not change ${title.toLowerCase()}`));
  }

  /** One change at a time: two on their way at once could arrive in the other order. */
  function enqueue(task) {
    queue = queue.then(task);
  }

  async function send(path, query, whatFailed) {
    try {
      store.setFailureModes((await api.post(path, { query })).scenarios);
    } catch (problem) {
      showProblem(whatFailed, problem);
      show();
    }
  }

  async function readSeed() {
    try {
      setText(seed, String((await api.get("/api/service-settings")).seed));
      seedLine.hidden = false;
    } catch {
      // Only a detail: the switches work without it.
    }
  }

  reset.onclick = () => {
    for (const row of rows) row.forget();
    enqueue(() => send("/api/payment-scenarios/reset", null, "Could not reset the payment failures"));
  };

  scope.watch("failureModes", show);
  readSeed();
}
