// One payment failure: a switch, its sliders, and where there is one its choice of phase.

import { el, setText } from "../lib/dom.js";

const NARROW_SPACE = "\u202f";
// An arrow key that is held down changes a control many times a second; the runner hears of it once it rests.
const REST_MS = 200;
const inPercent = (value) => `${value}${NARROW_SPACE}%`;
const inSeconds = (value) => `${value}${NARROW_SPACE}s`;

/**
 * Makes the row of `failure`. `onChange({enabled, probability, delay?, phase?})` is called when a person has changed
 * something; what the runner says meanwhile is not shown over a control in the hand.
 */
export function makeFailureRow(failure, onChange) {
  const toggle = el("input", { type: "checkbox", role: "switch", id: `${failure.key}-enabled` });
  const effect = el("p", { class: "effect", id: `${failure.key}-effect` });
  const probability = makeSlider(failure, "probability", { label: "Probability", min: 0, max: 100, inWords: inPercent });
  const delay = failure.hasDelay
    ? makeSlider(failure, "delay", { label: "Silence", min: 1, max: 60, inWords: inSeconds })
    : null;
  const phase = failure.phases ? makeChoice(failure, "phase", { label: "Phase", options: failure.phases }) : null;
  const controls = [probability, delay, phase].filter((control) => control !== null);
  let chosen = false;
  let inHand = false;
  let rest;

  toggle.setAttribute("aria-describedby", effect.id);
  const element = el("div", { class: "failure", role: "group", "aria-label": failure.title },
    el("div", { class: "failure-head" }, toggle, el("label", { for: toggle.id }, failure.title), effect),
    el("div", { class: "controls" }, controls.map((control) => control.element)));

  function describe() {
    element.toggleAttribute("data-on", toggle.checked);
    setText(effect, (toggle.checked ? "" : "When on, ") + failure.effect(probability.words(), delay?.words()));
  }

  function send() {
    clearTimeout(rest);
    inHand = false;
    const settings = { enabled: toggle.checked, probability: probability.value() };
    if (delay) settings.delay = delay.value();
    if (phase) settings.phase = phase.value();
    describe();
    onChange(settings);
  }

  for (const { input } of controls) {
    input.oninput = () => {
      clearTimeout(rest);
      chosen = inHand = true;
      describe();
    };
    input.onchange = () => {
      clearTimeout(rest);
      rest = setTimeout(send, REST_MS);
    };
  }
  toggle.onchange = send;

  function show(settings) {
    if (inHand) return;
    toggle.checked = settings.enabled;
    const known = settings.enabled || settings.probability > 0 || chosen;
    probability.set(known ? settings.probability : failure.usual);
    delay?.set(settings.delay);
    phase?.set(settings.phase);
    describe();
  }

  return { element, show, forget: () => (chosen = false) };
}

function makeSlider(failure, name, { label, min, max, inWords }) {
  const id = `${failure.key}-${name}`;
  const input = el("input", { type: "range", id, min, max, step: 1 });
  const output = el("output", { for: id });
  const element = el("div", { class: "slider" }, el("label", { for: id }, label), input, output);
  const words = () => inWords(input.value);

  function follow() {
    setText(output, words());
    input.setAttribute("aria-valuetext", words());
    input.style.setProperty("--share", (input.value - min) / (max - min));
  }
  input.addEventListener("input", follow);

  function set(value) {
    input.value = value;
    follow();
  }
  return { element, input, words, set, value: () => Number(input.value) };
}

/** A list to choose from, with what the choice means below it. */
function makeChoice(failure, name, { label, options }) {
  const id = `${failure.key}-${name}`;
  const meaning = el("p", { class: "meaning", id: `${id}-meaning` });
  const input = el("select", { id, "aria-describedby": meaning.id },
    options.map(({ value, title }) => el("option", { value }, title)));
  const element = el("div", { class: "choice" }, el("label", { for: id }, label), input, meaning);

  function follow() {
    setText(meaning, options.find(({ value }) => value === input.value)?.meaning ?? "");
  }
  input.addEventListener("input", follow);

  function set(value) {
    if (input.value !== value) input.value = value;
    follow();
  }
  return { element, input, set, value: () => input.value };
}
