"""The objects of the API server stand-in: resource versions, finalizers, a log of events to watch."""

import copy
import threading
import time
import uuid


class Problem(Exception):
    """An answer that is none of success, as a Kubernetes Status."""

    def __init__(self, code, reason, message, details=None, headers=None):
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.body = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code, "details": details or {},
        }


def now_text():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Store:
    def __init__(self):
        self.changed = threading.Condition(threading.RLock())
        self.version = 100
        self.objects = {}
        # (version, resource, type, object); what is older than `oldest` has been forgotten.
        self.events = []
        self.oldest = 0

    def _key(self, resource, namespace, name):
        return (resource, namespace, name)

    def _note(self, resource, kind, item):
        self.events.append((self.version, resource, kind, copy.deepcopy(item)))
        self.changed.notify_all()

    def get(self, resource, namespace, name):
        with self.changed:
            item = self.objects.get(self._key(resource, namespace, name))
            if item is None:
                raise Problem(
                    404, "NotFound", f'{resource} "{name}" not found', {"name": name, "kind": resource.split(".")[0]})
            return copy.deepcopy(item)

    def list(self, resource, namespace, labels=None):
        with self.changed:
            items = [
                copy.deepcopy(item) for (kind, space, _), item in sorted(self.objects.items())
                if kind == resource and space == namespace and self._matches(item, labels)
            ]
            return items, self.version

    def _matches(self, item, labels):
        wanted = dict(part.split("=", 1) for part in labels.split(",")) if labels else {}
        own = item["metadata"].get("labels") or {}
        return all(own.get(key) == value for key, value in wanted.items())

    def put(self, resource, namespace, item, is_new=None):
        """Creates the object, or takes the place of the one that is there."""
        with self.changed:
            name = item["metadata"]["name"]
            key = self._key(resource, namespace, name)
            before = self.objects.get(key)
            if is_new and before is not None:
                raise Problem(
                    409, "AlreadyExists", f'{resource} "{name}" already exists', {"name": name})
            self.version += 1
            item = copy.deepcopy(item)
            metadata = item["metadata"]
            metadata["namespace"] = namespace
            metadata["resourceVersion"] = str(self.version)
            if before is not None:
                for field in ("uid", "creationTimestamp"):
                    metadata[field] = before["metadata"][field]
                is_new_spec = item.get("spec") != before.get("spec")
                metadata["generation"] = before["metadata"]["generation"] + is_new_spec
            else:
                metadata.setdefault("uid", str(uuid.uuid4()))
                metadata.setdefault("creationTimestamp", now_text())
                metadata["generation"] = 1
            self.objects[key] = item
            self._note(resource, "ADDED" if before is None else "MODIFIED", item)
            return copy.deepcopy(item)

    def change(self, resource, namespace, name, change):
        """Applies `change` to the object as it is now; one without finalizers that is to be deleted goes."""
        with self.changed:
            item = self.get(resource, namespace, name)
            before = copy.deepcopy(item)
            change(item)
            if item == before:
                return item
            metadata = item["metadata"]
            if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
                return self._forget(resource, namespace, item)
            return self.put(resource, namespace, item)

    def delete(self, resource, namespace, name, preconditions, is_foreground=False):
        with self.changed:
            item = self.get(resource, namespace, name)
            metadata = item["metadata"]
            for field in ("uid", "resourceVersion"):
                wanted = preconditions.get(field)
                if wanted and wanted != metadata[field]:
                    raise Problem(
                        409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}": the {field} in the '
                        f"precondition ({wanted}) does not match the {field} in record ({metadata[field]})")
            if metadata.get("finalizers") or is_foreground:
                def mark(item):
                    item["metadata"].setdefault("deletionTimestamp", now_text())
                    finalizers = item["metadata"].setdefault("finalizers", [])
                    if is_foreground and "foregroundDeletion" not in finalizers:
                        finalizers.append("foregroundDeletion")
                return self.change(resource, namespace, name, mark)
            return self._forget(resource, namespace, item)

    def _forget(self, resource, namespace, item):
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self.objects.pop(self._key(resource, namespace, item["metadata"]["name"]), None)
        self._note(resource, "DELETED", item)
        return item

    def forget_history(self):
        """What etcd's compaction does: whoever watches from before now is too late."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.events = []
            self.changed.notify_all()

    def since(self, version, resource, namespace, name, timeout):
        """The events after `version`, as soon as there are some; what there is after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                if version < self.oldest:
                    raise Problem(410, "Expired", f"too old resource version: {version} ({self.oldest})")
                found = [
                    event for event in self.events
                    if event[0] > version and event[1] == resource
                    and event[3]["metadata"].get("namespace") == namespace
                    and (name is None or event[3]["metadata"]["name"] == name)
                ]
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found, self.version
                self.changed.wait(left)
