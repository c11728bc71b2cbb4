"""What Chaos Mesh's controller does with an object, step after step (controllers/common of Chaos Mesh 2.8).

It is no friendlier than that one: while an attempt of any record fails, nothing that comes after the records is reached,
so that no finalizer goes, forced or not.
"""

import calendar
import threading
import time
import uuid

from rules import KINDS, OF_KIND, OTHER_RUNTIME, REFUSED, PodRules, wanted
from store import Problem, now_text

FINALIZER = "chaos-mesh/records"
FORCED = "chaos-mesh.chaos-mesh.org/cleanFinalizer"
# What the kinds that act by the daemon at once pass on of its words.
MESSAGES = {"runtime": OTHER_RUNTIME.format(""), "daemon": REFUSED, "no-daemon": "cannot find daemonIP on node minikube"}
FIELDS = {"NetworkChaos": "networkChaos", "StressChaos": "stressChaos", "PodChaos": "podChaos"}
# Of containers, not of pods, are the records of these.
CONTAINER_KINDS = {"StressChaos", "IOChaos"}


class Controller(threading.Thread):
    """`mode` says how it fares.

    normal, absent (no controller), no-pod (none is selected), netem, ipset, iptables (modules that the kernel lacks),
    runtime (the daemon is set to another one), daemon (it is not reached), no-daemon (none on the node), wait (the
    pods' own objects are not looked at), stuck (nothing comes out of a pod again), keeps (a finalizer stays for nothing).
    """

    def __init__(self, store, namespace):
        super().__init__(daemon=True)
        self.store = store
        self.namespace = namespace
        self.rules = PodRules(store, namespace)
        self.mode = "normal"
        # Attempts that fail before one succeeds, with a message that says nothing of a lasting trouble.
        self.failures = 0
        self.pause = 0.005
        # Seconds that a pod still serves after its failure was injected: its preStop, its grace period.
        self.grace = 0

    def run(self):
        while True:
            with self.store.changed:
                self.store.changed.wait(0.05)
            if self.mode == "absent":
                continue
            for (resource, namespace, name), _ in list(self.store.objects.items()):
                if resource.endswith(".chaos-mesh.org") and namespace == self.namespace:
                    try:
                        self.reconcile(resource, name)
                    except Problem:
                        pass  # gone meanwhile, or changed

    def reconcile(self, resource, name):
        item = self.store.get(resource, self.namespace, name)
        if item["kind"] in ("Schedule", "Workflow"):
            return self.start_parts(resource, item)
        if item["kind"] in KINDS.values():
            return self.rules.reconcile(item, self.mode)
        self.needs_retry = False
        for step in (self.finalizer, self.desired_phase, self.conditions, self.records, self.clean):
            self.store.change(resource, self.namespace, name, step)
            # The pipeline ends at the step that asks for another round (controllers/common/pipeline).
            if self.needs_retry:
                break
        time.sleep(self.pause)

    def start_parts(self, resource, item):
        """A schedule starts its chaos once, a workflow each of its templates' at once; the garbage collector ends them."""
        metadata, spec = item["metadata"], item["spec"]
        if metadata.get("deletionTimestamp"):
            return self.collect(resource, item)
        if item.get("status"):
            return
        if item["kind"] == "Schedule":
            bodies, label = [(spec["type"], spec[FIELDS[spec["type"]]])], "managed-by"
        else:
            bodies = [(t["templateType"], t[FIELDS[t["templateType"]]]) for t in spec["templates"]
                      if t["templateType"] in FIELDS]
            label = "chaos-mesh.org/workflow"
        for kind, body in bodies:
            self.store.put(kind.lower() + ".chaos-mesh.org", self.namespace, {
                "apiVersion": "chaos-mesh.org/v1alpha1", "kind": kind, "spec": body,
                "metadata": {
                    "name": f'{metadata["name"]}-{uuid.uuid4().hex[:5]}', "labels": {label: metadata["name"]},
                    "ownerReferences": [{"kind": item["kind"], "name": metadata["name"], "uid": metadata["uid"],
                                         "controller": True, "blockOwnerDeletion": True}]}})

        def note(item):
            item["status"] = {"time": now_text(), "entryNode": "entry"}
        self.store.change(resource, self.namespace, metadata["name"], note)

    def collect(self, resource, item):
        """What Kubernetes' garbage collector does for a deletion in the foreground."""
        owned = [(key, other) for key, other in list(self.store.objects.items())
                 if any(owner.get("uid") == item["metadata"]["uid"]
                        for owner in other["metadata"].get("ownerReferences", []))]
        for (kind, namespace, name), other in owned:
            if not other["metadata"].get("deletionTimestamp"):
                self.store.delete(kind, namespace, name, {})
        if not owned:
            self.store.change(
                resource, self.namespace, item["metadata"]["name"],
                lambda item: item["metadata"].update(finalizers=[]))

    # The steps, in the order of controllers/common/step.go

    def finalizer(self, item):
        metadata = item["metadata"]
        if not metadata.get("deletionTimestamp") and FINALIZER not in metadata.get("finalizers", []):
            metadata.setdefault("finalizers", []).append(FINALIZER)

    def desired_phase(self, item):
        one_shot = item["spec"].get("action") in ("pod-kill", "container-kill")
        stop = item["metadata"].get("deletionTimestamp") or (self.is_over(item) and not one_shot)
        self.experiment(item)["desiredPhase"] = "Stop" if stop else "Run"

    def is_over(self, item):
        seconds = go_seconds(item["spec"].get("duration"))
        created = time.strptime(item["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
        return seconds is not None and calendar.timegm(created) + seconds < time.time()

    def experiment(self, item):
        return item.setdefault("status", {}).setdefault("experiment", {})

    def conditions(self, item):
        records = self.experiment(item).get("containerRecords")
        values = {
            "Selected": records is not None,
            "AllInjected": records is not None and all(r["phase"] == "Injected" for r in records),
            "AllRecovered": records is not None and all(r["phase"] == "Not Injected" for r in records),
            "Paused": False,
        }
        item["status"]["conditions"] = [
            {"type": kind, "status": "True" if value else "False"} for kind, value in values.items()]

    def records(self, item):
        experiment = self.experiment(item)
        if experiment.get("containerRecords") is None:
            found = [] if self.mode == "no-pod" else self.select(item)
            if not found:
                return
            experiment["containerRecords"] = found
        for record in experiment["containerRecords"]:
            self.move(item, record, experiment["desiredPhase"])

    def select(self, item):
        spec = item["spec"]
        selectors = {".": spec}
        if isinstance(spec.get("target"), dict):
            selectors[".Target"] = spec["target"]
        found = []
        for key, selector in selectors.items():
            for name in self.pods(selector["selector"]):
                try:
                    pod = self.store.get("pods", self.namespace, name)
                except Problem:
                    continue
                names = [None]
                if item["kind"] in CONTAINER_KINDS or spec.get("action") == "container-kill":
                    names = spec.get("containerNames") or [pod["spec"]["containers"][0]["name"]]
                for container in names:
                    found.append({
                        "id": "/".join(filter(None, [self.namespace, name, container])), "selectorKey": key,
                        "phase": "Not Injected", "injectedCount": 0, "recoveredCount": 0})
        return found

    def pods(self, selector):
        if "pods" in selector:
            return selector["pods"].get(self.namespace, [])
        labels = ",".join(f"{key}={value}" for key, value in selector.get("labelSelectors", {}).items())
        found = []
        for namespace in selector["namespaces"]:
            found += [pod["metadata"]["name"] for pod in self.store.list("pods", namespace, labels)[0]]
        return found

    def move(self, item, record, desired):
        phase = record["phase"]
        waits_in = phase.startswith("Not Injected")
        if desired == "Run" and phase != "Injected" or desired == "Stop" and phase != "Not Injected":
            if waits_in:
                self.apply(item, record)
            else:
                self.recover(item, record)

    def apply(self, item, record):
        if self.failures > 0:
            self.failures -= 1
            return self.failed(record, "Apply", "Operation cannot be fulfilled on podnetworkchaos: the object has been "
                               "modified; please apply your changes to the latest version and try again")
        if item["kind"] in OF_KIND:
            return self.apply_rules(item, record)
        message = MESSAGES.get(self.mode)
        if message is not None and (item["kind"] == "StressChaos" or item["spec"]["action"] == "container-kill"):
            return self.failed(record, "Apply", message)
        act(self.store, self.namespace, item, record, self.grace)
        self.succeeded(record, "Apply")

    def apply_rules(self, item, record):
        """The first time its rules are committed, then it waits until they are in the pod."""
        pod, key = record["id"].split("/")[1], record["selectorKey"]
        if record["phase"] == "Not Injected":
            others = [self.address(other["id"].split("/")[1]) for other in item["status"]["experiment"]["containerRecords"]
                      if other["selectorKey"] != key]
            rules = wanted(item, key, others)
            if rules is None:
                return self.succeeded(record, "Apply")
            try:
                generation = self.rules.commit(item["kind"], pod, self.source(item), rules)
            except Problem as problem:
                return self.failed(record, "Apply", str(problem))
            item["status"].setdefault("instances", {})[record["id"]] = generation
            record["phase"] = "Not Injected/Wait"
            return
        there = self.rules.get(item["kind"], pod)
        if there is None:
            if item["kind"] == "HTTPChaos":
                return self.failed(record, "Apply", f'PodHttpChaos.chaos-mesh.org "{pod}" not found')
            record["phase"] = "Not Injected"
        elif self.is_settled(item, record, there, "Apply"):
            self.succeeded(record, "Apply")

    def recover(self, item, record):
        pod = record["id"].split("/")[1]
        is_there = ("pods", self.namespace, pod) in self.store.objects
        if item["kind"] not in OF_KIND:
            if self.mode == "stuck" and is_there:
                return self.failed(record, "Recover", REFUSED)
            if item["spec"].get("action") == "pod-failure":
                ready(self.store, self.namespace, pod, True)
            return self.succeeded(record, "Recover")
        if record["phase"] == "Injected" and is_there:
            item["status"].setdefault("instances", {})[record["id"]] = self.rules.commit(
                item["kind"], pod, self.source(item), {})
            record["phase"] = "Injected/Wait"
            return
        there = self.rules.get(item["kind"], pod) if is_there else None
        if there is None or self.is_settled(item, record, there, "Recover"):
            self.succeeded(record, "Recover")

    def is_settled(self, item, record, there, operation):
        """Whether the pod's object has got as far as this one waits for."""
        status = there.get("status", {})
        if status.get("failedMessage"):
            self.failed(record, operation, status["failedMessage"])
            return False
        return status.get("observedGeneration", 0) >= item["status"]["instances"][record["id"]]

    def failed(self, record, operation, message):
        self.needs_retry = True
        event(record, "Failed", operation, message)

    def succeeded(self, record, operation):
        record["phase"] = "Injected" if operation == "Apply" else "Not Injected"
        record["injectedCount" if operation == "Apply" else "recoveredCount"] += 1
        event(record, "Succeeded", operation, "")

    def source(self, item):
        return f'{self.namespace}/{item["metadata"]["name"]}'

    def address(self, pod):
        try:
            return self.store.get("pods", self.namespace, pod)["status"]["podIP"] + "/32"
        except Problem:
            return "0.0.0.0/32"

    def clean(self, item):
        metadata = item["metadata"]
        if not metadata.get("deletionTimestamp"):
            return
        records = self.experiment(item).get("containerRecords") or []
        forced = (metadata.get("annotations") or {}).get(FORCED) == "forced"
        if self.mode == "keeps" and not forced:
            return
        if forced or all(record["phase"] == "Not Injected" for record in records):
            metadata["finalizers"] = []


def event(record, kind, operation, message):
    last = (record.get("events") or [{}])[-1]
    if (last.get("type"), last.get("operation"), last.get("message")) == (kind, operation, message):
        return  # the stand-in needs no history of the same
    record.setdefault("events", []).append(
        {"type": kind, "operation": operation, "message": message, "timestamp": now_text()})


def act(store, namespace, item, record, grace):
    """What the fault does to pods, as far as the API shows it."""
    action = item["spec"].get("action")
    name = record["id"].split("/")[1]
    if action == "pod-kill":
        pod = store.get("pods", namespace, name)
        store.delete("pods", namespace, name, {})
        for field in ("uid", "resourceVersion", "creationTimestamp"):
            pod["metadata"].pop(field, None)
        pod["metadata"]["name"] = name.rsplit("-", 1)[0] + "-" + uuid.uuid4().hex[:5]
        store.put("pods", namespace, pod)
    elif action == "container-kill":
        container = record["id"].split("/")[2]

        def restart(pod):
            for status in pod["status"]["containerStatuses"]:
                if status["name"] == container:
                    status["restartCount"] += 1
                    status["containerID"] = "containerd://" + uuid.uuid4().hex
        store.change("pods", namespace, name, restart)
    elif action == "pod-failure":
        threading.Timer(grace, ready, (store, namespace, name, False)).start()


def ready(store, namespace, name, value):
    def change(pod):
        pod["status"]["conditions"] = [{"type": "Ready", "status": "True" if value else "False"}]
    store.change("pods", namespace, name, change)


def go_seconds(text):
    if not text:
        return None
    total, number = 0.0, ""
    units = {"h": 3600, "m": 60, "s": 1}
    for character in text:
        if character in units:
            total += float(number) * units[character]
            number = ""
        else:
            number += character
    return total
