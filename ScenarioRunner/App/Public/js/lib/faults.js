// Which faults act now, and where: from the topology, or where that does not tell, from the plans of the runs.
//
//   fault = {kind, label, replicas: ["payment-0"], paths: [{from: "payment", to: "inventory"}]}

/** The tier of a replica or service: `payment-0` and `payment-service` are both `payment`. */
export function tierOf(name) {
  return name.replace(/-(service|\d+)$/, "");
}

/** The faults of the topology document, by the places where they act. */
export function toldFaults(faults) {
  return faults.map(({ kind, label, places, experiment }) => ({
    kind, label: label ?? "", experiment,
    replicas: places.filter((place) => place.replica).map((place) => place.replica),
    paths: uniquePaths(places.filter((place) => place.from).map(({ from, to }) => ({ from: tierOf(from), to: tierOf(to) }))),
  }));
}

/** The fault of a run, from its experiment and its plan; what the plan chose at random may have been chosen otherwise. */
export function plannedFault({ kind, name, effective_dose: dose }, { places }) {
  const split = places.map((place) => place.split(/ (?:->|<->) /));
  const [faultKind, label] = read(kind, dose);
  return {
    kind: faultKind, label, experiment: name,
    replicas: split.filter((ends) => ends.length === 1).map(([replica]) => replica),
    paths: uniquePaths(split.filter((ends) => ends.length === 2).map(([from, to]) => ({ from: tierOf(from), to: tierOf(to) }))),
  };
}

const DOSES = [
  [/drops all packets/, "partition", () => "cut"],
  [/drops ([\d.]+) %/, "loss", ([, share]) => `${share}\u202f%`],
  [/delays packets by ([\w.]+)/, "delay", ([, time]) => time],
  [/lets (\w+)/, "bandwidth", ([, rate]) => rate],
  [/repeats ([\d.]+) %/, "duplicate", ([, share]) => `${share}\u202f%`],
  [/damages ([\d.]+) %/, "corrupt", ([, share]) => `${share}\u202f%`],
  [/asks for ([\d.]+) cores/, "cpu", ([, cores]) => `${cores} cores`],
  [/holds (\d+ \w+) of memory/, "memory", ([, size]) => size],
  [/to disk/, "disk", () => "disk"],
  [/keeps .* down/, "failure", () => "down"],
  [/kills/, "kill", () => "killed"],
];

function read(kind, dose) {
  for (const [pattern, name, label] of DOSES) {
    const match = pattern.exec(dose ?? "");
    if (match) return [name, label(match)];
  }
  return [kind, ""];
}

function uniquePaths(paths) {
  return [...new Map(paths.map((path) => [`${path.from} ${path.to}`, path])).values()];
}

/** What a fault does, in a word or two, for the sentence at the top and for a screen reader. */
const DEEDS = {
  loss: (label) => `${label} of packets lost`, delay: (label) => `packets delayed by ${label}`,
  partition: () => "cut off", bandwidth: (label) => `throttled to ${label}`, duplicate: (label) => `${label} of packets repeated`,
  corrupt: (label) => `${label} of packets damaged`, cpu: () => "CPU under stress", memory: () => "memory under stress",
  disk: () => "disk under stress", kill: () => "killed", failure: () => "held down",
};

export function faultWords({ kind, label, replicas, paths }) {
  const places = [...paths.map(({ from, to }) => `${from} \u2192 ${to}`), ...replicas];
  const few = places.length > 3 ? [...places.slice(0, 2), `${places.length - 2} more`] : places;
  return `${few.join(", ")}: ${DEEDS[kind]?.(label) ?? `${kind} ${label}`.trim()}`;
}
