"""What Chaos Mesh's controller does with an object, step after step (controllers/common of Chaos Mesh 2.8)."""

import calendar
import threading
import time
import uuid

from store import Problem, now_text

FINALIZER = "chaos-mesh/records"
FORCED = "chaos-mesh.chaos-mesh.org/cleanFinalizer"
MESSAGES = {
    "netem": 'failed to apply for pod payment-chaos/{pod}: rpc error: code = Unknown desc = error code: exit status 2, '
             "msg: Error: Specified qdisc kind is unknown.\n",
    "runtime": "rpc error: code = Unknown desc = expected docker:// but got contain",
    "daemon": "rpc error: code = Unavailable desc = connection error: dial tcp 10.244.0.7:31767: connect: connection "
              "refused",
}
FIELDS = {"NetworkChaos": "networkChaos", "StressChaos": "stressChaos", "PodChaos": "podChaos"}
# Of containers, not of pods, are the records of these.
CONTAINER_KINDS = {"StressChaos", "IOChaos"}


class Controller(threading.Thread):
    """`mode` says how it fares: normal, absent, no-pod, netem, runtime, daemon, wait, stuck, keeps."""

    def __init__(self, store, namespace):
        super().__init__(daemon=True)
        self.store = store
        self.namespace = namespace
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
                        pass  # gone meanwhile

    def reconcile(self, resource, name):
        item = self.store.get(resource, self.namespace, name)
        if item["kind"] in ("Schedule", "Workflow"):
            return self.start_parts(resource, item)
        for step in (self.finalizer, self.desired_phase, self.conditions, self.records, self.clean):
            self.store.change(resource, self.namespace, name, step)
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
        pod = record["id"].split("/")[1]
        if self.mode == "wait":
            record["phase"] = "Not Injected/Wait"
            return
        message = MESSAGES.get(self.mode)
        if message is None and self.failures > 0:
            self.failures -= 1
            message = "Operation cannot be fulfilled on podnetworkchaos: the object has been modified"
        if message is not None:
            record["phase"] = "Not Injected/Wait"
            event(record, "Failed", "Apply", message.format(pod=pod))
            return
        act(self.store, self.namespace, item, record, self.grace)
        record["phase"] = "Injected"
        record["injectedCount"] += 1
        event(record, "Succeeded", "Apply", "")

    def recover(self, item, record):
        pod = record["id"].split("/")[1]
        if self.mode == "stuck" and ("pods", self.namespace, pod) in self.store.objects:
            event(record, "Failed", "Recover", "unable to flush ip sets for pod " + pod)
            return
        if item["spec"].get("action") == "pod-failure":
            ready(self.store, self.namespace, pod, True)
        record["phase"] = "Not Injected"
        record["recoveredCount"] += 1
        event(record, "Succeeded", "Recover", "")

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
