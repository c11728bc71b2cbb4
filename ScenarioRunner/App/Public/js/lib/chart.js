// A time chart in SVG: bands behind, a grid, lines in front, and a cursor to read a second with. It knows pixels and
// nothing of payments. Its parts stay; a drawing only changes their attributes.

import { el, setAttribute, setText, svg } from "./dom.js";

const MARGIN = { top: 24, right: 12, bottom: 24, left: 52 };
const BAND_TOP = 16;
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

/** The least of 1, 2, 5, 10, 20, 50, ... that is at least `value`, and even steps up to it. */
export function niceScale(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const high = [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
  const ticks = [0, high / 2, high].map((tick) => ({ value: tick, label: `${tick}` }));
  return { scale: linear(0, high), ticks };
}

/**
 * ```
 *           phase     phase
 *   label |  band   |  band  |
 *   label |---------\  /-----|   lines; with `fillTo`, the area between a line and that value
 *         '---====-----------'   marks: stretches of something else
 *           -5 min        now
 * ```
 */
export class TimeChart {
  #width = 0;
  #drawing = null;

  /**
   * @param frame where the chart goes
   * @param options `height`, `windowSeconds`, `scale` (value to 0...1), `ticks` as `[{value, label}]`, and `lines` as
   *   `[{name, read(entry), fillTo?}]`; a line that reads null has a gap there
   */
  constructor(frame, options) {
    this.options = options;
    /** Called with the time under the pointer, in Unix seconds, or null when it has left. */
    this.onCursor = () => {};
    this.bands = svg("g");
    this.grid = svg("g", { "aria-hidden": "true" });
    this.marks = svg("g");
    this.cursor = svg("line", { class: "cursor", y1: BAND_TOP });
    this.lines = options.lines.map((line) => ({
      ...line,
      area: line.fillTo === undefined ? null : svg("path", { class: "area", "data-line": line.name }),
      path: svg("path", { class: "line", "data-line": line.name }),
    }));
    this.canvas = svg("svg", { class: "plot", role: "img", height: options.height },
      this.bands, this.grid, this.marks,
      ...this.lines.flatMap(({ area, path }) => (area ? [area, path] : [path])), this.cursor);
    this.frame = el("div", { class: "plot-frame" }, this.canvas);
    frame.append(this.frame);
    this.canvas.addEventListener("pointermove", (event) => this.onCursor(this.#timeAt(event.offsetX)));
    this.canvas.addEventListener("pointerleave", () => this.onCursor(null));
    this.observer = new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width === this.#width) return;
      this.#width = width;
      setAttribute(this.canvas, "viewBox", `0 0 ${width} ${options.height}`);
      this.#drawGrid();
      if (this.#drawing) this.draw(this.#drawing);
    });
    this.observer.observe(this.frame);
  }

  /** Another scale from the next drawing on. */
  setScale({ scale, ticks }) {
    if (ticks.at(-1).value === this.options.ticks.at(-1).value) return;
    Object.assign(this.options, { scale, ticks });
    this.#drawGrid();
  }

  /**
   * Draws `entries`, `bands` and `marks` with `now` (Unix seconds) at the right edge, and the cursor at a time or
   * nowhere (null); `label` is what a screen reader says.
   */
  draw(drawing) {
    this.#drawing = drawing;
    if (this.#width < MARGIN.left + MARGIN.right + 20) return;
    setAttribute(this.canvas, "aria-label", drawing.label);
    this.bands.replaceChildren(...drawing.bands.flatMap((band) => this.#band(band)));
    this.marks.replaceChildren(...(drawing.marks ?? []).map((mark) => this.#mark(mark)));
    for (const line of this.lines) this.#drawLine(line, drawing.entries);
    this.#drawCursor(drawing.cursor ?? null);
  }

  close() {
    this.observer.disconnect();
  }

  #x(time) {
    const share = 1 - (this.#drawing.now - time) / this.options.windowSeconds;
    return round(MARGIN.left + Math.min(1, Math.max(0, share)) * (this.#width - MARGIN.left - MARGIN.right));
  }

  #timeAt(x) {
    if (!this.#drawing) return null;
    const share = (x - MARGIN.left) / (this.#width - MARGIN.left - MARGIN.right);
    if (share < 0 || share > 1) return null;
    return this.#drawing.now - (1 - share) * this.options.windowSeconds;
  }

  #y(value) {
    const share = Math.min(1, Math.max(0, this.options.scale(value)));
    return round(this.#floor - share * (this.#floor - MARGIN.top));
  }

  get #floor() {
    return this.options.height - MARGIN.bottom;
  }

  #band({ phase, from, to }) {
    const x = this.#x(from);
    const width = round(this.#x(to) - x);
    const of = { "data-phase": phase, x, width };
    const parts = [
      svg("rect", { class: "band", y: BAND_TOP, height: this.#floor - BAND_TOP, ...of }),
      svg("rect", { class: "band-edge", y: BAND_TOP, height: 2, ...of }),
    ];
    if (width > phase.length * LETTER_WIDTH) {
      parts.push(svg("text", { class: "band-label", "data-phase": phase, x, y: BAND_TOP - 5 }, phase));
    }
    return parts;
  }

  #mark({ from, to, words }) {
    const x = this.#x(from);
    return svg("rect", { class: "mark-strip", x, width: Math.max(2, round(this.#x(to) - x)), y: this.#floor - 4, height: 4 },
      svg("title", {}, words));
  }

  #drawCursor(time) {
    const isShown = time !== null;
    setAttribute(this.cursor, "visibility", isShown ? "visible" : "hidden");
    if (!isShown) return;
    const x = this.#x(time);
    for (const [name, value] of Object.entries({ x1: x, x2: x, y2: this.#floor })) setAttribute(this.cursor, name, value);
  }

  #drawGrid() {
    const right = this.#width - MARGIN.right;
    const levels = this.options.ticks.flatMap(({ value, label }) => {
      const y = this.#y(value);
      return [
        svg("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y, y2: y }),
        svg("text", { class: "tick", "text-anchor": "end", x: MARGIN.left - 8, y: y + 4 }, label),
      ];
    });
    const minutes = this.options.windowSeconds / 60;
    const every = this.#width < 380 ? 2 : 1;
    const times = Array.from({ length: minutes + 1 }, (_, ago) => ago).filter((ago) => ago % every === 0).map((ago) => {
      const text = ago === 0 ? "now" : `\u2212${ago} min`;
      const x = MARGIN.left + (1 - ago / minutes) * (right - MARGIN.left);
      return svg("text", { class: "tick", "text-anchor": ago === 0 ? "end" : "middle", x, y: this.options.height - 6 }, text);
    });
    this.nowLabel = times[0];
    this.grid.replaceChildren(...levels, ...times);
  }

  /** What stands at the right edge: "now", or a moment. */
  setEdge(text) {
    if (this.nowLabel) setText(this.nowLabel, text);
  }

  #drawLine({ read, fillTo, area, path }, entries) {
    const stretches = this.#stretches(entries, read);
    setAttribute(path, "d", stretches.map((points) => `M${points.map(([x, y]) => `${x} ${y}`).join("L")}h.01`).join(""));
    if (!area) return;
    const level = this.#y(fillTo);
    setAttribute(area, "d", stretches.map((points) =>
      `M${points[0][0]} ${level}L${points.map(([x, y]) => `${x} ${y}`).join("L")}L${points.at(-1)[0]} ${level}Z`).join(""));
  }

  /** The runs of points without a gap of more than two seconds: a second may come late. */
  #stretches(entries, read) {
    const stretches = [];
    let previous = -Infinity;
    for (const entry of entries) {
      const value = read(entry);
      if (value === null) continue;
      if (entry.time - previous > 2.5) stretches.push([]);
      stretches.at(-1).push([this.#x(entry.time + 0.5), this.#y(value)]);
      previous = entry.time;
    }
    return stretches;
  }
}

function round(pixels) {
  return Math.round(pixels * 10) / 10;
}
