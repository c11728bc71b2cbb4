// A time chart in SVG: bands behind, a grid, lines in front. It knows pixels and nothing of payments.

import { el, setAttribute, svg } from "./dom.js";

const HEIGHT = 220;
const MARGIN = { top: 32, right: 12, bottom: 24, left: 52 };
const BAND_TOP = 18;
const LETTER_WIDTH = 7;

/** A scale from `low` to `high` in even steps of value. */
export function linear(low, high) {
  return (value) => (value - low) / (high - low);
}

/** A scale in even steps of ratio, for what spans from milliseconds to many seconds. */
export function logarithmic(low, high) {
  const span = Math.log(high / low);
  return (value) => Math.log(Math.max(value, low) / low) / span;
}

/**
 * ```
 *           phase     phase
 *   label |  band   |  band  |
 *   label |---------\  /-----|   lines; with `fillTo`, the area between a line and that value
 *         '------------------'
 *           -5 min        now
 * ```
 */
export class TimeChart {
  #width = 0;
  #drawing = null;

  /**
   * @param figure where the chart goes
   * @param options `windowSeconds`, `scale` (value to 0...1), `ticks` as `[{value, label}]`, and `lines` as
   *   `[{name, read(entry), fillTo?}]`; a line that reads null has a gap there
   */
  constructor(figure, options) {
    this.options = options;
    this.canvas = svg("svg", { class: "plot", role: "img", height: HEIGHT });
    figure.append(el("div", { class: "plot-frame" }, this.canvas));
    new ResizeObserver(([entry]) => {
      this.#width = Math.round(entry.contentRect.width);
      if (this.#drawing) this.draw(this.#drawing);
    }).observe(this.canvas.parentElement);
  }

  /** Draws `entries` and `bands` with `now` (Unix seconds) at the right edge; `label` is what a screen reader says. */
  draw(drawing) {
    this.#drawing = drawing;
    if (this.#width < MARGIN.left + MARGIN.right + 20) return;
    setAttribute(this.canvas, "viewBox", `0 0 ${this.#width} ${HEIGHT}`);
    setAttribute(this.canvas, "aria-label", drawing.label);
    this.canvas.replaceChildren(
      ...drawing.bands.flatMap((band) => this.#band(band)),
      ...this.#grid(),
      ...this.options.lines.flatMap((line) => this.#line(line, drawing.entries)),
    );
  }

  #x(time) {
    const share = 1 - (this.#drawing.now - time) / this.options.windowSeconds;
    return round(MARGIN.left + Math.min(1, Math.max(0, share)) * (this.#width - MARGIN.left - MARGIN.right));
  }

  #y(value) {
    const share = Math.min(1, Math.max(0, this.options.scale(value)));
    return round(HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom));
  }

  #band({ phase, from, to }) {
    const x = this.#x(from);
    const width = round(this.#x(to) - x);
    const of = { "data-phase": phase, x, width };
    const parts = [
      svg("rect", { class: "band", y: BAND_TOP, height: HEIGHT - MARGIN.bottom - BAND_TOP, ...of }),
      svg("rect", { class: "band-edge", y: BAND_TOP, height: 3, ...of }),
    ];
    if (width > phase.length * LETTER_WIDTH) {
      parts.push(svg("text", { class: "band-label", "data-phase": phase, x, y: BAND_TOP - 6 }, phase));
    }
    return parts;
  }

  #grid() {
    const right = this.#width - MARGIN.right;
    const levels = this.options.ticks.flatMap(({ value, label }) => {
      const y = this.#y(value);
      return [
        svg("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y, y2: y }),
        svg("text", { class: "tick", "text-anchor": "end", x: MARGIN.left - 8, y: y + 4 }, label),
      ];
    });
    const minutes = this.options.windowSeconds / 60;
    const times = Array.from({ length: minutes + 1 }, (_, ago) => {
      const text = ago === 0 ? "now" : `\u2212${ago} min`;
      const anchor = ago === 0 ? "end" : "middle";
      const x = MARGIN.left + (1 - ago / minutes) * (right - MARGIN.left);
      return svg("text", { class: "tick", "text-anchor": anchor, x, y: HEIGHT - 6 }, text);
    });
    return [...levels, ...times];
  }

  #line({ name, read, fillTo }, entries) {
    const stretches = this.#stretches(entries, read);
    if (stretches.length === 0) return [];
    const path = stretches.map((points) => `M${points.map(([x, y]) => `${x} ${y}`).join("L")}h.01`).join("");
    const parts = [svg("path", { class: "line", "data-line": name, d: path })];
    if (fillTo !== undefined) {
      const level = this.#y(fillTo);
      const area = stretches.map((points) =>
        `M${points[0][0]} ${level}L${points.map(([x, y]) => `${x} ${y}`).join("L")}L${points.at(-1)[0]} ${level}Z`);
      parts.unshift(svg("path", { class: "area", "data-line": name, d: area.join("") }));
    }
    return parts;
  }

  /** The runs of points without a gap of more than a second and a half. */
  #stretches(entries, read) {
    const stretches = [];
    let previous = -Infinity;
    for (const entry of entries) {
      const value = read(entry);
      if (value === null) continue;
      if (entry.time - previous > 1.5) stretches.push([]);
      stretches.at(-1).push([this.#x(entry.time + 0.5), this.#y(value)]);
      previous = entry.time;
    }
    return stretches;
  }
}

function round(pixels) {
  return Math.round(pixels * 10) / 10;
}
