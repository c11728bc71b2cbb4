// The plan of a scenario, before anything happens: what would be put where and what takes it away; and a run with
// other lengths than the usual ones.

import * as api from "../api.js";
import { el, setText } from "../lib/dom.js";
import { duration, inSigns } from "../lib/format.js";
import { makeField } from "./parts.js";

const LENGTHS = ["baseline", "duration", "recovery"];
// As the plan of the runner names what may be chosen.
const CHOICES = { baseline: "baseline_s", duration: "duration_s", recovery: "recovery_s", rate: "rate_rps", seed: "seed" };

/** @param onRun starts a run of an experiment with options; resolves to whether it was accepted */
export function makePlanDialog(store, onRun) {
  const title = el("h2", { id: "plan-title" });
  const dose = el("p", { class: "dose" });
  const body = el("div", { class: "plan" });
  const fields = {
    baseline: field("baseline", "Baseline, s", "usual"), duration: field("duration", "Fault, s", "as planned"),
    recovery: field("recovery", "Recovery, s", "usual"), rate: field("rate", "Requests a second", "usual"),
    seed: field("seed", "Seed", "by chance"),
  };
  const resilience = el("select", { id: "plan-resilience" },
    [["", "as it is now"], ["naive", "naive"], ["hardened", "hardened"], ["retry-storm", "retry storm"]].map(([value, words]) => el("option", { value }, words)));
  const resilienceField = el("div", { class: "field" }, el("label", { for: resilience.id }, "Resilience"), resilience);
  const total = el("p", { class: "hint" });
  const close = el("button", { type: "button", class: "button" }, "Close");
  const run = el("button", { type: "submit", class: "button primary" }, "Run");
  const form = el("form", { class: "plan-form" },
    el("h3", {}, "Run it"), el("div", { class: "fields" }, Object.values(fields).map((one) => one.element), resilienceField),
    el("div", { class: "dialog-foot" }, total, close, run));
  const element = el("dialog", { class: "dialog wide", "aria-labelledby": title.id }, el("div", { class: "dialog-body" }, title, dose, body, form));
  let experiment = null;

  function open(chosen) {
    experiment = chosen;
    setText(title, chosen.name);
    setText(dose, inSigns(chosen.effective_dose ?? ""));
    for (const { input } of Object.values(fields)) input.value = "";
    resilienceField.hidden = !store.resilience;
    resilience.value = "";
    sumUp();
    body.replaceChildren(el("p", { class: "hint" }, "Reading the plan"));
    element.showModal();
    readPlan(chosen);
  }

  async function readPlan({ name }) {
    let parts;
    try {
      const plan = await api.get(`/api/experiments/${encodeURIComponent(name)}/plan`);
      parts = planParts(plan);
      if (experiment.name === name) offer(plan.choices);
    } catch (problem) {
      parts = [el("p", { class: "refusal", role: "alert" }, `The plan could not be read. ${problem.message}`)];
    }
    if (experiment.name === name) body.replaceChildren(...parts);
  }

  /** Fills in what is usual, where nobody has typed yet; what stays empty is left to the runner. */
  function offer(choices) {
    for (const [name, { input }] of Object.entries(fields)) {
      const { usual, least, most } = choices[CHOICES[name]];
      Object.assign(input, { min: least, max: most });
      if (input.value === "" && usual !== null) input.value = usual;
    }
    sumUp();
  }

  function sumUp() {
    const parts = LENGTHS.map((name) => fields[name].input.value);
    const seconds = parts.reduce((sum, value) => sum + Number(value), 0);
    setText(total, parts.every((value) => value !== "") ? `About ${duration(seconds)} in all` : "The fault lasts as its plan says");
  }

  form.oninput = sumUp;
  close.onclick = () => element.close();
  // The dialog itself is clicked beside its content only: on the backdrop.
  element.onclick = (event) => {
    if (event.target === element) element.close();
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    const options = {};
    for (const name of LENGTHS) if (fields[name].input.value !== "") options[name] = `${fields[name].input.value}s`;
    for (const name of ["rate", "seed"]) if (fields[name].input.value !== "") options[name] = Number(fields[name].input.value);
    if (resilience.value) options.resilience = resilience.value;
    element.close();
    await onRun(experiment, options);
  };
  return { element, open };
}

function planParts(plan) {
  if (plan.refusal) return [el("p", { class: "refusal" }, plan.refusal)];
  const list = (items) => el("ul", { class: "places" }, items.map((item) => el("li", {}, el("code", {}, inSigns(item)))));
  return [
    el("h3", {}, "What happens"),
    plan.steps.length === 0 ? el("p", { class: "hint" }, "Nothing is put in force at the start; the plan unfolds over time.") : el("ol", { class: "plan-steps" },
      plan.steps.map(({ location, action, undo }) => el("li", {}, el("p", {}, inSigns(action)), el("p", { class: "hint" }, `${location}; taken away by: `, el("code", {}, undo))))),
    plan.places.length > 0 && el("h3", {}, "Where"), plan.places.length > 0 && list(plan.places),
    el("p", { class: "hint" }, "With the seed ", el("code", {}, String(plan.seed)), ". A plan changes nothing."),
  ].filter(Boolean);
}

function field(name, label, placeholder) {
  const input = el("input", { type: "number", id: `plan-${name}`, step: 1, inputmode: "numeric", placeholder });
  return { input, element: makeField(label, input) };
}
