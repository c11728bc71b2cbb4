// One payment and everything that happened to it, hop by hop; and the newest payments, to begin with.

import * as api from "../api.js";
import { el } from "../lib/dom.js";
import { clock, latency, money, moment } from "../lib/format.js";

const TONES = { completed: "held", declined: "invalid", failed: "deviated", refunded: "same", partially_refunded: "same" };
const HOPS = {
  status: "Payment", inventory: "Inventory", gateway: "Gateway", confirm: "Confirm stock", release: "Release stock",
  notification: "Notification", refund: "Refund",
};

export function mount(scope, [id]) {
  const { root } = scope;
  const input = el("input", { type: "search", id: "payment-id", placeholder: "PAY-…", autocomplete: "off", spellcheck: "false", maxlength: 64, value: id ?? null });
  const form = el("form", { class: "toolbar", role: "search" }, el("label", { class: "visually-hidden", for: input.id }, "Payment id"), input,
    el("button", { type: "submit", class: "button primary" }, "Find"));
  const result = el("div", { class: "stack", "aria-live": "polite" });
  const newest = el("div", {}, el("p", { class: "note" }, "Reading the books"));
  const refresh = el("button", { type: "button", class: "button quiet" }, "Read again");

  root.append(
    el("div", { class: "view-head" }, el("div", {}, el("h1", {}, "Payments"),
      el("p", { class: "hint" }, "The life of a payment, hop by hop: its changes of status, every call, and what the gateway's books say."))),
    form, result,
    el("section", { class: "panel", "aria-labelledby": "newest-title" },
      el("div", { class: "panel-head" }, el("h2", { id: "newest-title" }, "Newest"), refresh), newest));

  form.onsubmit = (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    if (wanted) location.hash = `#/payments/${encodeURIComponent(wanted)}`;
  };
  refresh.onclick = readNewest;

  async function readStory() {
    if (!id) return;
    try {
      const story = await api.get(`/api/payments/${encodeURIComponent(id)}`);
      if (scope.isOpen) result.replaceChildren(storyOf(story));
    } catch (problem) {
      result.replaceChildren(el("p", { class: "note", role: "alert" }, problem.status === 404
        ? `There is no payment ${id}. Ids begin with PAY- and stand in every answer of the payment service; take one from the list below.`
        : `The payment could not be read. ${problem.message}`));
    }
  }

  async function readNewest() {
    try {
      const { payments } = await api.get("/api/payments?limit=20");
      if (scope.isOpen) newest.replaceChildren(payments.length > 0 ? listOf(payments, id) : nothingYet());
    } catch (problem) {
      newest.replaceChildren(el("p", { class: "note" }, problem.isMissing ? "This runner does not list payments." : problem.message));
    }
  }

  readStory();
  readNewest();
}

function nothingYet() {
  return el("p", { class: "note" }, "No payments in the last day. ", el("a", { href: "#/load" }, "Put load on the system"), ", or make one: ",
    el("code", {}, "curl -X POST localhost:5002/payment/process -H 'Content-Type: application/json' -d '{\"amount\": 100, \"currency\": \"USD\", \"product_id\": \"1\"}'"));
}

function badge(status) {
  return el("span", { class: "badge", "data-verdict": TONES[status] ?? null }, status.replace("_", " "));
}

function listOf(payments, id) {
  return el("ul", { class: "payment-list" }, payments.map((payment) => el("li", { "aria-current": payment.payment_id === id ? "true" : null },
    el("a", { href: `#/payments/${encodeURIComponent(payment.payment_id)}` }, el("code", {}, payment.payment_id)),
    badge(payment.status), el("span", { class: "amount" }, money(payment.amount_minor, payment)),
    el("time", { class: "hint" }, moment(payment.created_at)))));
}

function storyOf(story) {
  const start = story.events[0]?.timestamp ?? story.last_update;
  const facts = [
    ["Refunded", story.refunded_amount > 0 ? amountText(story.refunded_amount, story) : null], ["Declined", story.decline_code],
    ["Idempotency key", story.idempotency_key], ["Began", clock(start)],
  ].filter(([, words]) => words);
  return el("article", { class: "panel story", "aria-label": story.payment_id },
    el("div", { class: "story-head" }, el("h2", {}, el("code", {}, story.payment_id)), badge(story.status),
      el("strong", { class: "story-amount" }, amountText(story.amount, story))),
    el("dl", { class: "facts inline-facts" }, facts.map(([name, words]) => el("div", {}, el("dt", {}, name), el("dd", {}, words)))),
    el("ol", { class: "hops" }, story.events.map((event) => hop(event, start))),
    el("p", { class: "hint" }, books(story)));
}

function hop({ name, detail, replica, timestamp, latency_ms: took, scenario }, start) {
  const since = Math.round((timestamp - start) * 1000);
  return el("li", { "data-hop": name, "data-bad": /fail|declin|not answer|no answer|no stock|timed ?out|refused|unreachable/i.test(detail) || Boolean(scenario) },
    el("span", { class: "hop-time" }, `${since < 0 ? "\u2212" : "+"}${latency(Math.abs(since))}`),
    el("span", { class: "hop-name" }, HOPS[name] ?? name), el("span", { class: "hop-detail" }, detail,
      scenario && el("span", { class: "hop-cause" }, ` caused by ${scenario}`)),
    el("span", { class: "hop-took hint" }, took === undefined || took === null ? "" : `took ${latency(took)}`), el("span", { class: "hop-replica hint" }, replica));
}

/** An amount that is a decimal number already, with all decimals of its currency. */
function amountText(amount, { currency, exponent }) {
  return `${exponent === null ? amount : amount.toFixed(exponent)}\u202f${currency}`;
}

function books({ charges }) {
  if (!charges) return "The gateway's books could not be read.";
  if (charges.length === 0) return "In the gateway's books: no charge.";
  return `In the gateway's books: ${charges.map((charge) => `${charge.charge_id}, ${charge.state}, ${money(charge.amount_minor, charge)}, ${money(charge.refunded_minor, charge)} refunded`).join("; ")}.`;
}
