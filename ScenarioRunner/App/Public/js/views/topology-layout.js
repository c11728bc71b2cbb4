// Where the boxes of the system's drawing stand, and how the paths run between them.
//
//   wide                                        narrow
//     users --> payment --> inventory              users
//                  |   '--> notification             |
//                  v                              payment
//               gateway                         /    |    \
//                                        inventory   |   notification
//                                                 gateway

import { tierOf } from "../lib/faults.js";

export const CLIENT = "client";
export const GATEWAY = "gateway";
export const ROW = 30;
export const HEAD = 46;
const FOOT = 10;
const WIDE_FROM = 820;
const COLUMN_GAP = 56;
// On wide screens the drawing stands beside the charts, which are higher.
const SPACIOUS_FROM = 1250;
const SPACIOUS_GAP = 120;
// Between the payment service and what it calls, for the numbers and the faults of both paths.
const FAN_HEIGHT = 130;
const SLOPE = 40;
// Room for a path that passes above or below the payment service.
const DETOUR = 36;
const ORDER = ["payment", "inventory", "notification"];

/**
 * @param services of the topology
 * @param ends the paths to be drawn, as `[{from, to}]` of tiers
 * @param modes how many payment failures are on: rows of the gateway
 * @returns `{boxes, height, isWide}`, a box as `{tier, service, x, y, width, height}` by its tier
 */
export function layoutOf(services, ends, width, modes) {
  const ordered = [...services].sort((one, other) => rank(one) - rank(other));
  return width >= WIDE_FROM ? wideLayout(ordered, ends, width, modes) : narrowLayout(ordered, width, modes);
}

function rank({ name }) {
  const known = ORDER.indexOf(tierOf(name));
  return known === -1 ? ORDER.length : known;
}

function heightOf(rows) {
  return HEAD + (rows > 0 ? rows * ROW + FOOT : 0);
}

function boxOf(service, x, y, width) {
  return { tier: tierOf(service.name), service, x, y, width, height: heightOf(service.replicas.length) };
}

function wideLayout([first, ...others], ends, width, modes) {
  const passes = (to) => ends.some((end) => end.from === CLIENT && end.to === to);
  const above = passes("inventory") ? DETOUR : 1;
  const below = passes("notification") ? DETOUR : 1;
  const isSpacious = width >= SPACIOUS_FROM;
  const boxWidth = Math.round(Math.min(isSpacious ? 290 : 250, width * 0.235));
  const gap = isSpacious ? SPACIOUS_GAP : COLUMN_GAP;
  const right = width - boxWidth - 1;
  const middle = Math.round((111 + right - boxWidth) / 2);
  const column = others.map((service) => boxOf(service, right, 0, boxWidth));
  const centre = [
    ...(first ? [boxOf(first, middle, 0, boxWidth)] : []),
    { tier: GATEWAY, service: null, x: middle, y: 0, width: boxWidth, height: heightOf(modes) },
  ];
  const high = Math.max(stackHeight(column, gap), stackHeight(centre, gap));
  stack(column, above + (high - stackHeight(column, gap)) / 2, gap);
  stack(centre, above + (high - stackHeight(centre, gap)) / 2, gap);
  const entry = centre[0];
  const client = { tier: CLIENT, service: null, x: 1, y: Math.round(entry.y + entry.height / 2 - 32), width: 110, height: 64 };
  return { boxes: byTier([client, ...centre, ...column]), height: above + high + below, isWide: true };
}

function stackHeight(boxes, gap) {
  return boxes.reduce((sum, box) => sum + box.height + gap, -gap);
}

function stack(boxes, top, gap) {
  let y = Math.round(top);
  for (const box of boxes) {
    box.y = y;
    y += box.height + gap;
  }
}

function narrowLayout([first, ...others], width, modes) {
  const top = Math.min(300, width - 2);
  const boxes = [{ tier: CLIENT, service: null, x: Math.round((width - 130) / 2), y: 1, width: 130, height: 48 }];
  let y = 49 + 84;
  if (first) {
    boxes.push(boxOf(first, Math.round((width - top) / 2), y, top));
    y += boxes.at(-1).height + FAN_HEIGHT;
  }
  const share = Math.floor((width + 14) / Math.max(1, others.length));
  others.forEach((service, index) => boxes.push(boxOf(service, 1 + index * share, y, share - 16)));
  y = Math.max(y, ...boxes.map((box) => box.y + box.height)) + 40;
  boxes.push({ tier: GATEWAY, service: null, x: Math.round((width - top) / 2), y, width: top, height: heightOf(modes) });
  return { boxes: byTier(boxes), height: y + heightOf(modes) + 2, isWide: false };
}

function byTier(boxes) {
  return new Map(boxes.map((box) => [box.tier, box]));
}

/**
 * The way of a path: `d` of its line, `middle`, where its numbers stand, and `sign`, where a fault does. The numbers are two
 * lines, at `lines` above and below the middle, and `aside` is how far each goes to make room for a fault.
 */
export function curveOf({ from, to }, { boxes, isWide }) {
  const [start, end] = [boxes.get(from), boxes.get(to)];
  if (!isWide) return downwards(start, end);
  if (start.x === end.x) return straightDown(start, end);
  if (from === CLIENT && to !== "payment") return detour(start, end, boxes);
  const [x1, y1] = [start.x + start.width, start.y + start.height / 2];
  const [x2, y2] = [end.x, end.y + end.height / 2];
  const half = (x1 + x2) / 2;
  const middle = { x: half, y: (y1 + y2) / 2 };
  const d = `M${x1} ${y1}C${half} ${y1} ${half} ${y2} ${x2} ${y2}`;
  if (Math.abs(y1 - y2) < SLOPE) return around(d, middle);
  // Beside a slope, on the side that the line leaves free.
  const isFalling = y2 > y1;
  return {
    d, sign: middle, middle: { x: half + 14, y: middle.y, anchor: "start" },
    lines: isFalling ? [-18, -2] : [14, 30], aside: isFalling ? [-14, -14] : [14, 14],
  };
}

/** The numbers above and below the line, and a fault on it. */
function around(d, middle, sign = middle) {
  return { d, middle, sign, lines: [-9, 20], aside: sign === middle ? [-10, 10] : [0, 0] };
}

function straightDown(start, end) {
  const x = start.x + start.width / 2;
  return around(`M${x} ${start.y + start.height}V${end.y}`, { x, y: (start.y + start.height + end.y) / 2 });
}

/** From the users past the payment service: above it or below what stands under it. */
function detour(start, end, boxes) {
  const [payment, gateway] = [boxes.get("payment"), boxes.get(GATEWAY)];
  const isAbove = end.y + end.height / 2 < payment.y + payment.height;
  const y = isAbove ? payment.y - DETOUR / 2 : gateway.y + gateway.height + DETOUR / 2;
  const x = start.x + start.width / 2;
  const edge = isAbove ? start.y : start.y + start.height;
  const arrival = end.y + (isAbove ? end.height / 2 - 18 : end.height / 2 + 18);
  const d = `M${x} ${edge}C${x} ${y} ${x + 60} ${y} ${payment.x} ${y}H${payment.x + payment.width}C${end.x - 60} ${y} ${end.x - 60} ${arrival} ${end.x} ${arrival}`;
  return around(d, { x: start.x + start.width + 40, y }, { x: payment.x + payment.width / 2, y });
}

function downwards(start, end) {
  const [x1, y1] = [start.x + start.width / 2, start.y + start.height];
  const [x2, y2] = [end.x + end.width / 2, end.y];
  const half = (y1 + Math.min(y2, y1 + FAN_HEIGHT)) / 2;
  if (start.y === end.y) {
    const y = start.y + start.height / 2;
    return around(`M${start.x + start.width} ${y}H${end.x}`, { x: (start.x + start.width + end.x) / 2, y: start.y + start.height + 16 });
  }
  const d = `M${x1} ${y1}C${x1} ${half} ${x2} ${half} ${x2} ${y2}`;
  if (Math.abs(x1 - x2) < 2) return around(d, { x: x1 + 12, y: half, anchor: "start" }, { x: x1 - 52, y: half });
  return around(d, { x: x2, y: y2 - 30 }, { x: x1 + (x2 < x1 ? -44 : 44), y: half - 6 });
}
