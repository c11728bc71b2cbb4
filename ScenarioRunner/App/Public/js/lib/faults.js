// Which faults act now, and where, by the places where the drawing shows them.
//
//   fault = {kind, label, replicas: ["payment-0"], paths: [{from: "payment", to: "inventory"}]}

import { inSigns } from "./format.js";

// In the order of a request's way.
const TIERS = ["client", "payment", "inventory", "notification"];

/** The tier of a replica or service: `payment-0`, `payment-service` and a pod `payment-service-5d4f-x7k2q` are all `payment`. */
export function tierOf(name) {
  return TIERS.find((tier) => name.startsWith(`${tier}-`)) ?? name;
}

/** The faults of the topology document; payment failures, which have a place of their own, are not among them. */
export function faultsOf(topology) {
  return (topology?.faults ?? []).filter(({ kind }) => kind !== "failure_mode").map(({ kind, label, places }) => ({
    kind, label: inSigns(label),
    replicas: places.filter((place) => place.replica).map((place) => place.replica),
    paths: uniquePaths(places.filter((place) => place.from).map(({ from, to }) => ({ from: tierOf(from), to: tierOf(to) }))),
  }));
}

function uniquePaths(paths) {
  return [...new Map(paths.map((path) => [`${path.from} ${path.to}`, path])).values()];
}

/** What a fault does, for the sentence at the top and for a screen reader. */
const DEEDS = {
  loss: (label) => `${label} of packets lost`, delay: (label) => `packets delayed by ${label}`,
  partition: () => "cut off", bandwidth: (label) => `throttled to ${label}`, duplicate: (label) => `${label} of packets repeated`,
  corrupt: (label) => `${label} of packets damaged`, cpu: (label) => `CPU under stress, ${label}`, memory: (label) => `memory under stress, ${label}`,
  disk: () => "disk under stress", kill: () => "killed", failure: () => "held down",
};

export function faultWords({ kind, label, replicas, paths }) {
  const places = [...joined(paths), ...replicas];
  const few = places.length > 3 ? [...places.slice(0, 2), `${places.length - 2} more`] : places;
  return `${few.join(", ")}: ${DEEDS[kind]?.(label) ?? `${kind} ${label}`.trim()}`;
}

/** Both ways of one path are said as one. */
function joined(paths) {
  const goesBothWays = ({ from, to }) => paths.some((path) => path.from === to && path.to === from);
  return paths.filter((path) => !goesBothWays(path) || TIERS.indexOf(path.from) < TIERS.indexOf(path.to))
    .map((path) => `${path.from} ${goesBothWays(path) ? "\u2194" : "\u2192"} ${path.to}`);
}
