// Small parts that several views are made of.

import { el, setText } from "../lib/dom.js";

/** A row of numbers with their names: `makeNumbers({rate: "Requests"})`, then `show({rate: "20/s"})`. */
export function makeNumbers(names) {
  const outputs = Object.fromEntries(Object.keys(names).map((key) => [key, el("dd", {}, "–")]));
  const element = el("dl", { class: "numbers" }, Object.entries(names).map(([key, name]) => el("div", {}, el("dt", {}, name), outputs[key])));
  return { element, show: (values) => Object.entries(values).forEach(([key, value]) => setText(outputs[key], value)) };
}

/** A table of texts; numbers stand at the right: `makeTable("Caption", [["Name"], ["p95", "number"]], rows)`. */
export function makeTable(caption, columns, rows) {
  return el("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": caption },
    el("table", {}, el("caption", { class: "visually-hidden" }, caption),
      el("thead", {}, el("tr", {}, columns.map(([name, kind]) => el("th", { scope: "col", class: kind ?? null }, name)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, index) =>
        el(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: columns[index][1] ?? null }, cell)))))));
}

/** A labelled input or list. */
export function makeField(label, input) {
  return el("div", { class: "field" }, el("label", { for: input.id }, label), input);
}

export function makeSelect(id, options) {
  return el("select", { id }, options.map(([value, words]) => el("option", { value }, words)));
}

export function makeNumber(id, value, min, max, step = 1) {
  return el("input", { type: "number", id, value, min, max, step, inputmode: "decimal", required: true });
}

/** A document of the runner inside the page, unable to reach the page or the network. */
export function makeFrame(title, source) {
  return el("iframe", { class: "report-frame", title, src: source, sandbox: "allow-scripts allow-popups" });
}
