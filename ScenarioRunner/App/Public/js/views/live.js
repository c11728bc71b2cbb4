// Success and latency as they are now and were in the last minutes.

import { linear, logarithmic, TimeChart } from "../lib/chart.js";
import { now } from "../lib/clock.js";
import { byId, setText } from "../lib/dom.js";
import { latency, percent } from "../lib/format.js";
import { phaseBands } from "../lib/series.js";
import { WINDOW_SECONDS } from "../store.js";
import { progressText } from "./phases.js";

const STALE_AFTER_SECONDS = 4;

export function mountLive(store) {
  const section = byId("live");
  const hint = byId("live-hint");
  const usualHint = hint.textContent;
  const value = (name) => section.querySelector(`[data-now="${name}"]`);
  const success = new TimeChart(byId("chart-success"), {
    windowSeconds: WINDOW_SECONDS,
    scale: linear(0, 1),
    ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => ({ value: share, label: percent(share) })),
    lines: [{ name: "success", read: (entry) => entry.success, fillTo: 1 }],
  });
  const latencies = new TimeChart(byId("chart-latency"), {
    windowSeconds: WINDOW_SECONDS,
    scale: logarithmic(1, 30_000),
    ticks: [1, 10, 100, 1000, 10_000].map((ms) => ({ value: ms, label: ms < 1000 ? `${ms} ms` : `${ms / 1000} s` })),
    lines: [
      { name: "p50", read: (entry) => entry.p50 },
      { name: "p95", read: (entry) => entry.p95 },
    ],
  });
  let pending = false;

  function draw() {
    pending = false;
    const time = now();
    const entries = store.seconds.within(time);
    byId("live-empty").hidden = entries.length > 0;
    byId("charts").hidden = byId("live-legend").hidden = entries.length === 0;
    showHint();
    if (entries.length === 0) return;
    const bands = phaseBands(entries);
    const latest = time - entries.at(-1).time < STALE_AFTER_SECONDS ? entries.at(-1) : null;
    showNow(latest);
    success.draw({ entries, bands, now: time, label: spokenSuccess(entries, latest) });
    latencies.draw({ entries, bands, now: time, label: spokenLatency(entries, latest) });
  }

  function showNow(latest) {
    byId("charts").toggleAttribute("data-idle", latest === null);
    setText(value("success"), percent(latest?.success));
    setText(value("requests"), latest ? `of ${latest.requests} requests a second` : "no load now");
    setText(value("p50"), latency(latest?.p50));
    setText(value("p95"), latency(latest?.p95));
  }

  function showHint() {
    const running = store.runs.filter((run) => run.state !== "finished");
    const words = running.map((run) => `${run.experiment}: ${progressText(run)}`).join(" · ");
    setText(hint, words || usualHint);
  }

  function drawSoon() {
    if (!pending) requestAnimationFrame(draw);
    pending = true;
  }

  store.watch("seconds", drawSoon);
  store.watch("runs", showHint);
  store.watch("connection", () => section.toggleAttribute("data-stale", store.connection === "lost"));
  return { tick: drawSoon };
}

function spokenSuccess(entries, latest) {
  const known = entries.map((entry) => entry.success).filter((share) => share !== null);
  if (known.length === 0) return "Success rate over the last 5 minutes: nothing measured yet";
  return `Success rate over the last 5 minutes: now ${percent(latest?.success)}, lowest ${percent(Math.min(...known))}`;
}

function spokenLatency(entries, latest) {
  const known = entries.map((entry) => entry.p95).filter((ms) => ms !== null);
  if (known.length === 0) return "Latency over the last 5 minutes: nothing measured yet";
  return `Latency over the last 5 minutes, on a logarithmic scale: p95 now ${latency(latest?.p95)}, highest ${latency(Math.max(...known))}`;
}
