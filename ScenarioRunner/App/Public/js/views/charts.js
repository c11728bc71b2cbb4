// The live charts, small or large: success, requests and latency over the last minutes, read with one cursor.

import { linear, logarithmic, niceScale, TimeChart } from "../lib/chart.js";
import { now } from "../lib/clock.js";
import { el, setText } from "../lib/dom.js";
import { clock, latency, percent, rate } from "../lib/format.js";
import { failureStretches, phaseBands } from "../lib/series.js";
import { WINDOW_SECONDS } from "../store.js";

const STALE_AFTER_SECONDS = 4;

const CHARTS = {
  success: {
    title: "Success",
    scale: linear(0, 1),
    ticks: [0, 0.5, 1].map((share) => ({ value: share, label: percent(share) })),
    lines: [{ name: "success", label: "", words: percent, read: (entry) => entry.success, fillTo: 1 }],
  },
  requests: {
    title: "Requests",
    ...niceScale(20),
    lines: [
      { name: "requests", label: "a second", words: rate, read: (entry) => entry.requests },
      { name: "declined", label: "declined", words: rate, read: (entry) => entry.declined },
    ],
  },
  latency: {
    title: "Latency",
    scale: logarithmic(1, 30_000),
    ticks: [1, 10, 100, 1000, 10_000].map((ms) => ({ value: ms, label: ms < 1000 ? `${ms} ms` : `${ms / 1000} s` })),
    lines: [
      { name: "p50", label: "p50", words: latency, read: (entry) => entry.p50 },
      { name: "p95", label: "p95", words: latency, read: (entry) => entry.p95 },
      { name: "p99", label: "p99", words: latency, read: (entry) => entry.p99 },
    ],
  },
};

/**
 * Makes the charts. `element` goes onto the page; `hold(time)` stops them at a moment, `hold(null)` lets them go on.
 */
export function makeCharts(scope, { height }) {
  const { store } = scope;
  const charts = Object.entries(CHARTS).map(([key, options]) => makeChart(key, options, height));
  const element = el("div", { class: "charts" }, charts.map(({ figure }) => figure));
  let held = null;
  let cursor = null;
  let pending = false;

  for (const { chart } of charts) {
    chart.onCursor = (time) => {
      cursor = time;
      drawSoon();
    };
    scope.ending(() => chart.close());
  }

  function draw() {
    pending = false;
    if (!scope.isOpen) return;
    const { time, entries, marks } = held ?? momentOf(now());
    const shared = { entries, bands: phaseBands(entries), marks, now: time, cursor };
    const latest = entries.at(-1) && time - entries.at(-1).time < STALE_AFTER_SECONDS ? entries.at(-1) : null;
    const read = cursor === null ? latest : nearest(entries, cursor);
    element.toggleAttribute("data-idle", read === null);
    for (const { key, chart, values, at } of charts) {
      if (key === "requests") chart.setScale(niceScale(Math.max(10, ...entries.map((entry) => entry.requests))));
      for (const { output, line } of values) setText(output, line.words(read ? line.read(read) : null));
      setText(at, cursor === null ? "" : clock(cursor));
      chart.draw({ ...shared, label: spoken(key, entries, latest) });
      chart.setEdge(held === null ? "now" : clock(time));
    }
  }

  function drawSoon() {
    if (!pending) requestAnimationFrame(draw);
    pending = true;
  }

  /** What there is to draw at a time; kept while the charts are held, for the store forgets it and late seconds come. */
  function momentOf(time) {
    return { time, entries: store.seconds.within(time), marks: failureStretches(store.marks, time - WINDOW_SECONDS, time) };
  }

  function hold(time) {
    held = time === null ? null : momentOf(time);
    draw();
  }

  /** Moves the cursor by so many seconds; from the right edge when there is none. */
  function step(seconds) {
    const { time, entries } = held ?? momentOf(now());
    cursor = Math.min(time, Math.max(time - WINDOW_SECONDS, Math.floor(cursor ?? time) + seconds));
    drawSoon();
    return `${clock(cursor)}: ${spokenEntry(nearest(entries, cursor))}`;
  }

  scope.watch("seconds", drawSoon);
  scope.watch("marks", drawSoon);
  scope.tick(drawSoon);
  return { element, hold, step, clear: () => ((cursor = null), drawSoon()) };
}

function makeChart(key, { title, lines, ...options }, height) {
  const values = lines.map((line) => ({ line, output: el("strong", { class: "now" }, "–") }));
  const at = el("span", { class: "chart-at" });
  const figure = el("figure", { class: "chart", "data-chart": key },
    el("figcaption", {}, el("span", { class: "chart-title" }, title), at,
      el("span", { class: "readings" }, values.map(({ line, output }) =>
        el("span", { class: "reading" }, output, line.label ? el("span", { class: "key", "data-line": line.name }, line.label) : null)))));
  const chart = new TimeChart(figure, { height, windowSeconds: WINDOW_SECONDS, lines, ...options });
  return { key, figure, chart, values, at };
}

/** The entry of this second, or of one beside it. */
function nearest(entries, time) {
  return entries.findLast((entry) => Math.abs(entry.time + 0.5 - time) <= 1.5) ?? null;
}

function spokenEntry(entry) {
  if (!entry) return "nothing measured";
  return `success ${percent(entry.success)}, ${rate(entry.requests)}, p95 ${latency(entry.p95)}`;
}

function spoken(key, entries, latest) {
  const title = `${CHARTS[key].title} over the last 5 minutes`;
  if (entries.length === 0) return `${title}: nothing measured yet`;
  const [name, most] = { success: ["success", "lowest"], requests: ["requests", "highest"], latency: ["p95", "highest"] }[key];
  const words = CHARTS[key].lines.find((line) => line.name === name).words;
  const known = entries.map((entry) => entry[name]).filter((value) => value !== null);
  if (known.length === 0) return `${title}: nothing measured yet`;
  const extreme = most === "lowest" ? Math.min(...known) : Math.max(...known);
  return `${title}: ${name === "p95" ? "p95 " : ""}now ${words(latest?.[name] ?? null)}, ${most} ${words(extreme)}`;
}
