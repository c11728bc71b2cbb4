"""What Chaos Mesh keeps of its faults in each pod's own object, and how its daemon puts that into the pod.

NetworkChaos, IOChaos and HTTPChaos do not act themselves: they add what they want to the PodNetworkChaos, PodIOChaos or
PodHttpChaos named as the pod, and take it out again. Another controller (controllers/podnetworkchaos and its like) tries
to bring the pod there until it succeeds, all of it at once: what one experiment left fails every other one.
"""

from store import Problem

# The resource, its kind, and the lists in its spec whose items name the experiment that they are of.
OF_KIND = {
    "NetworkChaos": ("podnetworkchaos", "PodNetworkChaos", ("ipsets", "iptables", "tcs")),
    "IOChaos": ("podiochaos", "PodIOChaos", ("actions",)),
    "HTTPChaos": ("podhttpchaos", "PodHttpChaos", ("rules",)),
}
KINDS = {plural: kind for plural, kind, _ in OF_KIND.values()}
REFUSED = ("rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial tcp "
           "10.244.0.7:31767: connect: connection refused\"")
OTHER_RUNTIME = "rpc error: code = Unknown desc = {}expected docker:// but got contain"


class PodRules:
    def __init__(self, store, namespace):
        self.store = store
        self.namespace = namespace

    def resource(self, kind):
        return OF_KIND[kind][0] + ".chaos-mesh.org"

    def get(self, kind, pod):
        """Nil when there is none."""
        try:
            return self.store.get(self.resource(kind), self.namespace, pod)
        except Problem:
            return None

    def commit(self, kind, pod, source, items):
        """In place of all that `source` has there: `items`, by their lists. Returns the generation to wait for."""
        owner = self.store.get("pods", self.namespace, pod)

        def put(item):
            for name in OF_KIND[kind][2]:
                kept = [one for one in item["spec"].get(name, []) if one["source"] != source]
                item["spec"][name] = kept + [dict(one, source=source) for one in items.get(name, [])]

        if self.get(kind, pod) is None:
            if owner["status"]["phase"] != "Running":
                raise Problem(400, "", "pod not running")
            item = {
                "apiVersion": "chaos-mesh.org/v1alpha1", "kind": OF_KIND[kind][1], "spec": {},
                "metadata": {"name": pod, "ownerReferences": [
                    {"kind": "Pod", "name": pod, "uid": owner["metadata"]["uid"]}]}}
            put(item)
            self.store.put(self.resource(kind), self.namespace, item)
        else:
            self.store.change(self.resource(kind), self.namespace, pod, put)
        return self.get(kind, pod)["metadata"]["generation"]

    def reconcile(self, item, mode):
        """One attempt to bring the pod to what its object says; with the pod the object goes."""
        kind, name, status = item["kind"], item["metadata"]["name"], item.get("status", {})
        resource = next(plural for plural, known in KINDS.items() if known == kind) + ".chaos-mesh.org"
        try:
            pod = self.store.get("pods", self.namespace, name)
        except Problem:
            return self.store.delete(resource, self.namespace, name, {})
        generation = item["metadata"]["generation"]
        if generation <= status.get("observedGeneration", 0) and not status.get("failedMessage") or mode == "wait":
            return
        message = trouble(item, pod, mode)

        def note(item):
            item["status"] = {"observedGeneration": generation, "failedMessage": message}
        self.store.change(resource, self.namespace, name, note)


def trouble(item, pod, mode):
    """What the daemon says in this mode; empty when it does all."""
    kind, spec, name = item["kind"], item["spec"], pod["metadata"]["name"]
    where = f'failed to apply for pod payment-chaos/{name}: '
    if mode == "no-daemon":
        text = f'cannot find daemonIP on node {pod["spec"]["nodeName"]}'
        return where + text if kind == "PodHttpChaos" else text
    if kind == "PodNetworkChaos":
        # The daemon's own reason is in the log of the controller alone (ipset.go, iptable.go, tc.go).
        if mode in ("runtime", "daemon", "stuck") or mode == "ipset" and spec.get("ipsets"):
            return where + f"unable to flush ip sets for pod {name}"
        if mode == "iptables" and spec.get("iptables"):
            return where + f"unable to set ip tables chains for pod {name}"
        if mode == "netem" and spec.get("tcs"):
            return where + f"unable to set tcs for pod {name}"
        return ""
    if mode == "daemon":
        return where + REFUSED
    # Whoever has nothing to do there does not look for the container.
    if mode == "runtime" and spec.get("actions"):
        return where + OTHER_RUNTIME.format("getting PID: ")
    if mode == "runtime" and kind == "PodHttpChaos":
        return where + OTHER_RUNTIME.format("create http chaos: get PID of container: ")
    return where + "rpc error: code = Unknown desc = kill toda" if mode == "stuck" else ""


def wanted(item, key, others):
    """What the records of one selector put into their pods, by lists; None when they put nothing there."""
    spec = item["spec"]
    if item["kind"] == "IOChaos":
        return {"actions": [{"type": spec["action"], "path": spec.get("path", ""), "percent": spec.get("percent", 100)}]}
    if item["kind"] == "HTTPChaos":
        return {"rules": [{"port": spec["port"], "target": spec["target"]}]}
    direction = spec.get("direction", "to")
    is_source = key == "."
    if spec["action"] == "partition":
        # What the one end sends, the other one is kept from taking too.
        ways = {"to": ["output"], "from": ["input"], "both": ["output", "input"]}[direction]
        ways = ways if is_source else [{"output": "input", "input": "output"}[way] for way in ways]
        return {
            "ipsets": [{"name": "net", "ipsetType": "hash:net", "cidrs": others}],
            "iptables": [{"name": way.upper(), "ipsets": ["net"], "direction": way} for way in ways]}
    if direction not in ("both", "to" if is_source else "from"):
        return None
    kind = "bandwidth" if spec["action"] == "bandwidth" else "netem"
    tc = {"type": kind, spec["action"]: spec.get(spec["action"], {})}
    if not others and not spec.get("externalTargets"):
        return {"tcs": [tc]}
    return {
        "ipsets": [{"name": "net", "ipsetType": "hash:net", "cidrs": others + spec.get("externalTargets", [])}],
        "tcs": [dict(tc, ipset="net")]}
