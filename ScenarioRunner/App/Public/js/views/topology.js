// The system as a drawing: users, services with their replicas, the paths between them, and what is broken where.
//
//   wide                                   narrow
//     users --> payment --> inventory        users
//                      '--> notification       v
//                                            payment
//                                             v   v
//                                      inventory notification
//
// The drawing is made anew when its size or the services change; a second only changes texts and attributes.

import { el, setAttribute, setText, svg } from "../lib/dom.js";
import { tierOf } from "../lib/faults.js";
import { latency, percent, rate } from "../lib/format.js";

const ROW = 30;
const HEAD = 46;
const WIDE_FROM = 820;
const POOR_SUCCESS = 0.99;
export const CLIENT = "client";

const STATE_WORDS = {
  up: "up", restarting: "restarting", paused: "paused", stressed: "under stress", killed: "killed", held: "held down",
  down: "down", stopped: "stopped",
};
/** Signs in a box of 14 by 14 around its middle: what they mean is also said in words beside them. */
const STATE_SIGNS = {
  up: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  restarting: "M4.5-1.5A5 5 0 1 0 5 1.5M5-5v3.5h-3.5",
  paused: "M-2.5-4v8M2.5-4v8",
  stressed: "M0-6c1 3 4 4 4 7.5a4 4 0 0 1-8 0c0-2 1.5-2.5 2-4.5 1 .5 1.5 1 2-3",
  killed: "M-4-4l8 8M4-4l-8 8",
  held: "M-4-4l8 8M4-4l-8 8",
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

/** Makes the drawing. `show(topology, measured, faults)` brings it up to date. */
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

  function show(topology, paths, faults) {
    latest = [topology, paths, faults];
    if (width === 0 || !topology?.services) return;
    const ends = edgesOf(topology, paths, faults);
    const key = JSON.stringify([width, ends, topology.services.map((service) => [service.name, service.replicas.map(({ name }) => name)])]);
    if (made?.key !== key) {
      made = { key, ...draw(topology, ends, width) };
      frame.replaceChildren(made.canvas);
    }
    for (const service of topology.services) for (const replica of service.replicas) showReplica(made.replicas.get(replica.name), replica, faults);
    for (const edge of made.edges) showEdge(edge, paths, faults);
    setText(spoken, inWords(topology, paths));
    setAttribute(made.canvas, "aria-label", "The services, their replicas, and the paths between them");
  }
  return { element, show };
}

/** The paths that are always there, and those of which something is known. */
function edgesOf({ services }, paths, faults) {
  const tiers = new Set([CLIENT, ...services.map(({ name }) => tierOf(name))]);
  const wanted = [[CLIENT, "payment"], ["payment", "inventory"], ["payment", "notification"]];
  for (const { from, to } of [...paths.filter((path) => path.rate_rps > 0), ...faults.flatMap((fault) => fault.paths)]) wanted.push([from, to]);
  const unique = new Map();
  for (const [from, to] of wanted) {
    if (!tiers.has(from) || !tiers.has(to) || from === to || unique.has(`${to} ${from}`)) continue;
    unique.set(`${from} ${to}`, { from, to });
  }
  return [...unique.values()];
}

function draw({ services }, ends, width) {
  const layout = width >= WIDE_FROM ? wideLayout(services, width) : narrowLayout(services, width);
  const replicas = new Map();
  const edges = ends.map((end) => makeEdge(end, layout));
  const canvas = svg("svg", { class: "topology-canvas", role: "img", viewBox: `0 0 ${width} ${layout.height}`, width, height: layout.height,
    "aria-describedby": "topology-text" },
    svg("g", {}, ...edges.map(({ path }) => path)),
    ...[...layout.boxes.values()].map((box) => makeBox(box, replicas)),
    svg("g", {}, ...edges.map(({ label }) => label)));
  return { canvas, replicas, edges };
}

// Where things are

function boxOf(service, x, y, width) {
  return { tier: tierOf(service.name), service, x, y, width, height: HEAD + service.replicas.length * ROW + 10 };
}

function wideLayout(services, width) {
  const boxWidth = Math.min(250, Math.round(width * 0.235));
  const right = width - boxWidth - 1;
  const middle = Math.round((right - 130) / 2 + 130 - boxWidth / 2);
  const [first, ...others] = ordered(services);
  const boxes = new Map();
  let y = 1;
  for (const service of others) {
    const box = boxOf(service, right, y, boxWidth);
    boxes.set(box.tier, box);
    y += box.height + 56;
  }
  const height = Math.max(y - 56, 260) + 2;
  if (first) {
    const box = boxOf(first, middle, 0, boxWidth);
    box.y = Math.round((height - box.height) / 2);
    boxes.set(box.tier, box);
  }
  boxes.set(CLIENT, { tier: CLIENT, x: 1, y: Math.round(height / 2 - 32), width: 110, height: 64 });
  return { boxes, height, isWide: true };
}

function narrowLayout(services, width) {
  const [first, ...others] = ordered(services);
  const boxes = new Map();
  const top = Math.min(300, width - 2);
  boxes.set(CLIENT, { tier: CLIENT, x: Math.round((width - 130) / 2), y: 1, width: 130, height: 48 });
  let y = 49 + 84;
  if (first) {
    const box = boxOf(first, Math.round((width - top) / 2), y, top);
    boxes.set(box.tier, box);
    y += box.height + 104;
  }
  const half = Math.floor((width - 14) / Math.max(1, others.length));
  others.forEach((service, index) => {
    const box = boxOf(service, 1 + index * (half + 12), y, half - (index > 0 ? 2 : 0));
    boxes.set(box.tier, box);
  });
  const height = Math.max(...[...boxes.values()].map((box) => box.y + box.height)) + 2;
  return { boxes, height, isWide: false };
}

function ordered(services) {
  const rank = ({ name }) => ["payment", "inventory", "notification"].indexOf(tierOf(name));
  return [...services].sort((one, other) => rank(one) - rank(other));
}

// Boxes

function makeBox({ tier, service, x, y, width, height }, replicas) {
  const text = (className, atX, atY, words, attributes = {}) => svg("text", { class: className, x: atX, y: atY, ...attributes }, words);
  const group = svg("g", { class: "node", "data-tier": tier }, svg("rect", { class: "node-box", x, y, width, height, rx: 12 }));
  if (!service) {
    group.append(
      svg("path", { class: "sign", d: "M-7 8c0-9 14-9 14 0M-3.5-4a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0", transform: `translate(${x + 26} ${y + height / 2})` }),
      text("node-title", x + 44, y + height / 2 + 5, "Users"));
    return group;
  }
  group.append(text("node-title", x + 14, y + 28, tier));
  if (width > 190) group.append(text("node-port", x + width - 14, y + 28, `:${service.port}`, { "text-anchor": "end" }));
  service.replicas.forEach((replica, index) => {
    const middle = y + HEAD + index * ROW + ROW / 2;
    const row = svg("rect", { class: "replica-row", x: x + 6, y: middle - ROW / 2 + 1, width: width - 12, height: ROW - 2, rx: 7 });
    const sign = svg("path", { class: "sign", transform: `translate(${x + 22} ${middle})` });
    const name = text("replica-name", x + 38, middle + 4.5, width > 190 ? replica.name : replica.name.split("-").at(-1));
    const state = text("replica-state", x + width - 14, middle + 4.5, "", { "text-anchor": "end" });
    const view = { group: svg("g", { class: "replica" }, row, sign, name, state), sign, state };
    replicas.set(replica.name, view);
    group.append(view.group);
  });
  return group;
}

function showReplica(view, { name, state, restarts }, faults) {
  const acting = faults.find((fault) => fault.replicas.includes(name));
  const shown = state === "up" && acting ? { cpu: "stressed", memory: "stressed", disk: "stressed", failure: "held" }[acting.kind] ?? state : state;
  setAttribute(view.group, "data-state", shown);
  setAttribute(view.sign, "d", STATE_SIGNS[shown] ?? STATE_SIGNS.stopped);
  const label = shown === "stressed" && acting?.label ? acting.label : STATE_WORDS[shown] ?? shown;
  setText(view.state, shown === "up" && restarts > 0 ? `up, ${restarts} restart${restarts > 1 ? "s" : ""}` : label);
}

// Paths

function makeEdge({ from, to }, { boxes, isWide }) {
  const [start, end] = [boxes.get(from), boxes.get(to)];
  const { d, middle, sign } = isWide ? wideCurve(start, end, boxes) : narrowCurve(start, end);
  const path = svg("path", { class: "edge", d, "data-from": from, "data-to": to });
  const first = svg("text", { class: "edge-label", x: middle.x, y: middle.y - 9, "text-anchor": middle.anchor ?? "middle" });
  const second = svg("text", { class: "edge-label soft", x: middle.x, y: middle.y + 21, "text-anchor": middle.anchor ?? "middle" });
  const plate = svg("rect", { class: "fault-plate", rx: 11, height: 22 });
  const mark = svg("path", { class: "sign" });
  const words = svg("text", { class: "fault-label" });
  const badge = svg("g", { class: "fault-badge", transform: `translate(${sign.x} ${sign.y})` }, plate, mark, words);
  return { from, to, path, first, second, badge, plate, mark, words, label: svg("g", {}, first, second, badge) };
}

function wideCurve(start, end, boxes) {
  const from = { x: start.x + start.width, y: start.y + start.height / 2 };
  const to = { x: end.x, y: end.y + Math.min(end.height / 2, end.height - 30) };
  if (start.tier === CLIENT && end.tier !== "payment") {
    // Past the payment service, above or below it.
    const payment = boxes.get("payment");
    const isAbove = to.y < payment.y + payment.height / 2;
    const y = isAbove ? payment.y - 26 : payment.y + payment.height + 26;
    const x = start.x + start.width / 2;
    const edge = isAbove ? start.y : start.y + start.height;
    return { d: `M${x} ${edge}C${x} ${y} ${x + 60} ${y} ${payment.x} ${y}C${end.x - 80} ${y} ${end.x - 80} ${to.y + 24} ${end.x} ${to.y + 24}`,
      middle: { x: payment.x + payment.width / 2, y }, sign: { x: payment.x, y } };
  }
  const half = (from.x + to.x) / 2;
  const middle = { x: half, y: (from.y + to.y) / 2 };
  // Labels of two curves that part stand on their own side of the middle.
  if (from.y !== to.y) middle.y = to.y + (from.y - to.y) * 0.12;
  if (from.y !== to.y) middle.x = half + (to.x - from.x) * 0.16;
  return { d: `M${from.x} ${from.y}C${half} ${from.y} ${half} ${to.y} ${to.x} ${to.y}`, middle, sign: { x: half - (from.y === to.y ? 0 : (to.x - from.x) * 0.02), y: (from.y + to.y) / 2 } };
}

function narrowCurve(start, end) {
  const from = { x: start.x + start.width / 2, y: start.y + start.height };
  const to = { x: end.x + end.width / 2, y: end.y };
  const half = (from.y + to.y) / 2;
  const isStraight = Math.abs(from.x - to.x) < 2;
  const middle = isStraight ? { x: from.x + 12, y: half - 2, anchor: "start" } : { x: to.x, y: to.y - 26 };
  return { d: `M${from.x} ${from.y}C${from.x} ${half} ${to.x} ${half} ${to.x} ${to.y}`, middle,
    sign: isStraight ? { x: from.x - 46, y: half } : { x: (from.x + to.x) / 2, y: half - 4 } };
}

function showEdge(edge, paths, faults) {
  const joins = (path) => (path.from === edge.from && path.to === edge.to) || (path.from === edge.to && path.to === edge.from);
  const measured = paths.find((path) => path.from === edge.from && path.to === edge.to);
  const acting = faults.filter((fault) => fault.paths.some(joins));
  const isBusy = measured && measured.rate_rps > 0;
  setText(edge.first, isBusy ? `${rate(measured.rate_rps)} · ${percent(measured.success_rate)}` : "");
  setText(edge.second, isBusy ? `p95 ${latency(measured.p95_ms)}` : "");
  setAttribute(edge.first, "data-poor", isBusy && measured.success_rate < POOR_SUCCESS);
  setAttribute(edge.path, "data-busy", isBusy);
  const gravest = ["partition", "loss", "delay"].find((kind) => acting.some((fault) => fault.kind === kind)) ?? acting[0]?.kind ?? null;
  setAttribute(edge.path, "data-fault", gravest);
  setAttribute(edge.badge, "visibility", acting.length > 0 ? "visible" : "hidden");
  if (acting.length === 0) return;
  const text = acting.map((fault) => fault.label || fault.kind).join(" + ");
  const width = text.length * 7.2 + 36;
  setAttribute(edge.mark, "d", FAULT_SIGNS[gravest] ?? FAULT_SIGNS.corrupt);
  setText(edge.words, text);
  for (const [name, value] of Object.entries({ x: -width / 2, y: -11, width })) setAttribute(edge.plate, name, value);
  setAttribute(edge.mark, "transform", `translate(${-width / 2 + 16} 0)`);
  setAttribute(edge.words, "x", -width / 2 + 28);
  setAttribute(edge.words, "y", 4.5);
}

function inWords({ services }, paths) {
  const states = services.map(({ name, replicas }) => {
    const others = replicas.filter(({ state }) => state !== "up").map((replica) => `${replica.name} ${STATE_WORDS[replica.state] ?? replica.state}`);
    return `${name}: ${replicas.length} replicas, ${others.length === 0 ? "all up" : others.join(", ")}.`;
  });
  const traffic = paths.filter((path) => path.rate_rps > 0).map((path) =>
    `${path.from} to ${path.to}: ${rate(path.rate_rps)}, success ${percent(path.success_rate)}.`);
  return [...states, ...traffic].join(" ");
}
