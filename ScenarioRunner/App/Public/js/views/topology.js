// The system as a drawing: users, services with their replicas, the gateway, the paths between them with what is
// measured on each, and what is broken where.
//
// The drawing is made anew when its size or its parts change; a second only changes texts and attributes.

import { el, setAttribute, setText, svg } from "../lib/dom.js";
import { tierOf } from "../lib/faults.js";
import { latency, percent, rate } from "../lib/format.js";
import { CLIENT, curveOf, GATEWAY, HEAD, layoutOf, ROW } from "./topology-layout.js";

const POOR_SUCCESS = 0.99;
const WIDE_BOX = 190;
// Of a pod only the last part fits, which tells it from the others.
const LONGEST_NAME = 16;

const STATE_WORDS = {
  up: "up", restarting: "restarting", stressed: "under stress", killed: "killed", down: "held down", stopped: "stopped",
};
/** Signs in a box of 14 by 14 around its middle: what they mean is also said in words beside them. */
const STATE_SIGNS = {
  up: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  restarting: "M4.5-1.5A5 5 0 1 0 5 1.5M5-5v3.5h-3.5",
  stressed: "M0-6c1 3 4 4 4 7.5a4 4 0 0 1-8 0c0-2 1.5-2.5 2-4.5 1 .5 1.5 1 2-3",
  killed: "M-4-4l8 8M4-4l-8 8",
  down: "M-4-4l8 8M4-4l-8 8",
  stopped: "M-4 0h8",
};
const FAULT_SIGNS = {
  loss: "M-6 0h2.5M-1.5 0h3M4 0h2.5",
  delay: "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M0-3.5V0l2.5 2",
  partition: "M-5 5L-1-5M1 5L5-5",
  bandwidth: "M-6-4L-1-1V1L-6 4M6-4L1-1V1L6 4",
  duplicate: "M-5-5h7v7h-7zM-2-2h7v7h-7z",
  corrupt: "M-6 0l3-4 2 7 2-6 2 5 3-2",
};
const GRAVEST_FIRST = ["partition", "loss", "corrupt", "delay", "bandwidth", "duplicate"];
const USERS_SIGN = "M-7 8c0-9 14-9 14 0M-3.5-4a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0";
const CALLEE_ONLY = "Measured where it arrives: what was lost on the way is not in it";

/** Makes the drawing. `show(topology, faults, failures)` brings it up to date. */
export function makeTopology(scope) {
  const frame = el("div", { class: "topology-frame" });
  const spoken = el("p", { class: "visually-hidden", id: "topology-text" });
  const element = el("div", { class: "topology" }, frame, spoken);
  let width = 0;
  let made = null;
  let latest = null;
  const observer = new ResizeObserver(([entry]) => {
    if (Math.round(entry.contentRect.width) === width) return;
    width = Math.round(entry.contentRect.width);
    if (latest) show(...latest);
  });
  observer.observe(frame);
  scope.ending(() => observer.disconnect());

  /**
   * @param topology the runner's document
   * @param faults as of `faultsOf`
   * @param failures the payment failures that are on, as of `failuresOn`
   */
  function show(topology, faults, failures) {
    latest = [topology, faults, failures];
    if (width === 0 || !topology?.services) return;
    const ends = edgesOf(topology, faults);
    const key = JSON.stringify([width, ends, failures, topology.services.map(({ name, replicas }) => [name, replicas.map((replica) => replica.name)])]);
    if (made?.key !== key) {
      made = { key, ...draw(topology, ends, failures, width) };
      frame.replaceChildren(made.canvas);
    }
    for (const { replicas } of topology.services) for (const replica of replicas) showReplica(made.replicas.get(replica.name), replica, topology.paths, faults);
    for (const edge of made.edges) showEdge(edge, topology.paths, faults, failures);
    setText(spoken, inWords(topology));
  }
  return { element, show };
}

/** The paths of the topology on which there is something to see, and the way to the gateway. */
function edgesOf({ paths, services }, faults) {
  const tiers = new Set([CLIENT, GATEWAY, ...services.map(({ name }) => tierOf(name))]);
  const told = paths.filter((path) => path.rate_rps !== null || path.from === CLIENT || path.from === "payment");
  const unique = new Map();
  for (const { from, to } of [...told, { from: "payment", to: GATEWAY }, ...faults.flatMap((fault) => fault.paths)]) {
    if (tiers.has(from) && tiers.has(to) && from !== to && !unique.has(`${to} ${from}`)) unique.set(`${from} ${to}`, { from, to });
  }
  return [...unique.values()];
}

function draw({ services }, ends, failures, width) {
  const layout = layoutOf(services, ends, width, failures.length);
  const replicas = new Map();
  const edges = ends.map((end) => makeEdge(end, layout));
  const canvas = svg("svg", { class: "topology-canvas", role: "img", viewBox: `0 0 ${width} ${layout.height}`, width, height: layout.height,
    "aria-label": "The services, their replicas, and the paths between them", "aria-describedby": "topology-text" },
    svg("g", {}, ...edges.map(({ path }) => path)),
    ...[...layout.boxes.values()].map((box) => makeBox(box, replicas, failures)),
    svg("g", {}, ...edges.map(({ label }) => label)));
  return { canvas, replicas, edges };
}

// Boxes

function makeBox(box, replicas, failures) {
  const { tier, service, x, y, width, height } = box;
  const group = svg("g", { class: "node", "data-tier": tier }, svg("rect", { class: "node-box", x, y, width, height, rx: 12 }));
  const title = (words, atX, atY) => svg("text", { class: "node-title", x: atX, y: atY }, words);
  const aside = (words) => svg("text", { class: "node-port", x: x + width - 14, y: y + 28, "text-anchor": "end" }, words);
  if (tier === CLIENT) {
    group.append(svg("path", { class: "sign", d: USERS_SIGN, transform: `translate(${x + 26} ${y + height / 2})` }), title("Users", x + 44, y + height / 2 + 5));
    return group;
  }
  group.append(title(tier, x + 14, y + 28));
  if (tier === GATEWAY) {
    if (failures.length === 0) group.append(aside("acquirer"));
    failures.forEach(({ name, amount }, index) => {
      const row = makeRow(box, index, name);
      setAttribute(row.group, "data-state", "failing");
      setAttribute(row.sign, "d", STATE_SIGNS.killed);
      setText(row.state, amount);
      group.append(row.group);
    });
    return group;
  }
  if (width > WIDE_BOX) group.append(aside(`:${service.port}`));
  service.replicas.forEach((replica, index) => {
    const isShort = width > WIDE_BOX && replica.name.length <= LONGEST_NAME;
    const row = makeRow(box, index, isShort ? replica.name : replica.name.split("-").at(-1));
    replicas.set(replica.name, row);
    group.append(row.group);
  });
  return group;
}

function makeRow({ x, y, width }, index, name) {
  const middle = y + HEAD + index * ROW + ROW / 2;
  const sign = svg("path", { class: "sign", transform: `translate(${x + 22} ${middle})` });
  const state = svg("text", { class: "replica-state", x: x + width - 14, y: middle + 4.5, "text-anchor": "end" });
  const meaning = svg("title");
  const group = svg("g", { class: "replica" }, meaning,
    svg("rect", { class: "replica-row", x: x + 6, y: middle - ROW / 2 + 1, width: width - 12, height: ROW - 2, rx: 7 }), sign,
    svg("text", { class: "replica-name", x: x + 38, y: middle + 4.5 }, name), state);
  return { group, sign, state, meaning };
}

function showReplica(row, { name, state, restarts }, paths, faults) {
  const acting = faults.find((fault) => fault.replicas.includes(name));
  setAttribute(row.group, "data-state", state);
  setAttribute(row.sign, "d", STATE_SIGNS[state] ?? STATE_SIGNS.stopped);
  const poor = state === "up" ? poorCalls(name, paths) : null;
  setAttribute(row.group, "data-poor", poor !== null);
  setText(row.meaning, poor ? `${percent(poor.success_rate)} of its calls to ${poor.to} succeed` : "");
  const words = state === "stressed" && acting?.label ? acting.label : STATE_WORDS[state] ?? state;
  setText(row.state, poor ? percent(poor.success_rate) : (state === "up" && restarts > 0 ? `up, ${restarts} restart${restarts > 1 ? "s" : ""}` : words));
}

/** The worst path of one replica while a fault acts on its calls; null when all of them do well. */
function poorCalls(name, paths) {
  return paths.flatMap((path) => path.replicas)
    .filter((path) => path.from === name && path.success_rate !== null && path.success_rate < POOR_SUCCESS)
    .sort((one, other) => one.success_rate - other.success_rate)[0] ?? null;
}

// Paths

function makeEdge({ from, to }, layout) {
  const { d, middle, sign, lines, aside } = curveOf({ from, to }, layout);
  const path = svg("path", { class: "edge", d, "data-from": from, "data-to": to });
  const anchor = middle.anchor ?? "middle";
  const first = svg("text", { class: "edge-label", x: middle.x, "text-anchor": anchor });
  const second = svg("text", { class: "edge-label soft", x: middle.x, "text-anchor": anchor });
  const meaning = svg("title");
  const plate = svg("rect", { class: "fault-plate", rx: 11, height: 22 });
  const mark = svg("path", { class: "sign" });
  const words = svg("text", { class: "fault-label" });
  const badge = svg("g", { class: "fault-badge", transform: `translate(${sign.x} ${sign.y})` }, plate, mark, words);
  return { from, to, path, first, second, meaning, badge, plate, mark, words, middle, lines, aside, label: svg("g", {}, meaning, first, second, badge) };
}

function showEdge(edge, paths, faults, failures) {
  const measured = paths.find((path) => path.from === edge.from && path.to === edge.to);
  const acting = faults.filter((fault) => fault.paths.some((path) => isSame(path, edge) || isReverse(path, edge)));
  const isBusy = Boolean(measured?.rate_rps);
  setText(edge.first, isBusy ? `${rate(measured.rate_rps)} · ${percent(measured.success_rate)}` : "");
  setText(edge.second, isBusy && measured.p95_ms !== null ? `p95 ${latency(measured.p95_ms)}` : "");
  setText(edge.meaning, measured?.seen_by === "callee" ? CALLEE_ONLY : "");
  // The numbers make room for a fault.
  [edge.first, edge.second].forEach((text, index) =>
    setAttribute(text, "y", edge.middle.y + edge.lines[index] + (acting.length > 0 ? edge.aside[index] : 0)));
  setAttribute(edge.first, "data-poor", isBusy && measured.success_rate !== null && measured.success_rate < POOR_SUCCESS);
  setAttribute(edge.path, "data-busy", isBusy);
  const gravest = GRAVEST_FIRST.find((kind) => acting.some((fault) => fault.kind === kind)) ?? null;
  setAttribute(edge.path, "data-fault", gravest ?? (edge.to === GATEWAY && failures.length > 0 ? "failures" : null));
  setAttribute(edge.badge, "visibility", acting.length > 0 ? "visible" : "hidden");
  if (acting.length > 0) showBadge(edge, acting, gravest);
}

function showBadge({ mark, words, plate, ...edge }, acting, gravest) {
  const paths = acting.flatMap((fault) => fault.paths);
  const way = !paths.some((path) => isReverse(path, edge)) ? "" : paths.some((path) => isSame(path, edge)) ? "\u2194 " : "\u2190 ";
  // What stands in brackets explains the number; the sentence above the drawing says it all.
  const text = way + acting.map((fault) => fault.label.split(" (")[0] || fault.kind).join(" + ");
  setAttribute(mark, "d", FAULT_SIGNS[gravest] ?? FAULT_SIGNS.corrupt);
  setText(words, text);
  // A drawing that is not shown yet has no widths; fonts differ by more than the plate's margin.
  const width = (words.getComputedTextLength() || text.length * 8) + 42;
  for (const [name, value] of Object.entries({ x: -width / 2, y: -11, width })) setAttribute(plate, name, value);
  setAttribute(mark, "transform", `translate(${-width / 2 + 17} 0)`);
  setAttribute(words, "x", -width / 2 + 29);
  setAttribute(words, "y", 4.5);
}

function isSame(path, edge) {
  return path.from === edge.from && path.to === edge.to;
}

function isReverse(path, edge) {
  return path.from === edge.to && path.to === edge.from;
}

function inWords({ services, paths }) {
  const states = services.map(({ name, replicas }) => {
    const others = replicas.filter(({ state }) => state !== "up").map((replica) => `${replica.name} ${STATE_WORDS[replica.state] ?? replica.state}`);
    return `${name}: ${replicas.length} replicas, ${others.length === 0 ? "all up" : others.join(", ")}.`;
  });
  const traffic = paths.filter((path) => path.rate_rps > 0).map((path) =>
    `${path.from} to ${path.to}: ${rate(path.rate_rps)}, success ${percent(path.success_rate)}.`);
  return [...states, ...traffic].join(" ");
}
