"""An API server for the tests: real TLS, tokens, watches, and as much trouble as a test asks for.

Starts with one JSON object on its standard input, writes one with its ports to its standard output, and ends when its
standard input does. Tests change what it does by PUT on the control port.
"""

import http.server
import json
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse

from controller import Controller
from rules import KINDS as RULES
from store import Problem, Store

NAMESPACE = "payment-chaos"
CHAOS = {
    "networkchaos": "NetworkChaos", "stresschaos": "StressChaos", "podchaos": "PodChaos", "httpchaos": "HTTPChaos",
    "iochaos": "IOChaos", "schedules": "Schedule", "workflows": "Workflow", **RULES,
}


class World:
    def __init__(self):
        self.store = Store()
        self.controller = Controller(self.store, NAMESPACE)
        self.lock = threading.Lock()
        self.tokens = ["good"]
        self.needs_certificate = False
        self.crds = True
        self.denied = []
        # {"verb": ..., "resource": ..., "times": n, "do": pass|status|hang|close|garbage|cut, ...}
        self.faults = []
        self.bookmark_seconds = 0.2
        self.chunk_pause = 0.0
        self.watch_events = 0
        self.page = 0
        self.extra = {}
        self.log = []

    def fault(self, verb, resource):
        with self.lock:
            for fault in self.faults:
                if fault.get("verb", verb) == verb and fault.get("resource", resource) == resource and fault["times"]:
                    fault["times"] -= 1
                    return dict(fault)
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *arguments):
        pass

    def setup(self):
        self.request.do_handshake()
        super().setup()

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = json.loads(self.rfile.read(length)) if length else None
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        try:
            self.route(url.path)
        except Problem as problem:
            self.answer(problem.code, problem.body, problem.headers)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any

    def answer(self, code, document, headers=None):
        self.answer_bytes(code, json.dumps(document).encode(), "application/json", headers)

    def answer_bytes(self, code, data, kind, headers=None):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    # Who and what

    def route(self, path):
        parts = [urllib.parse.unquote(part) for part in path.split("/")[1:]]
        resource, namespace, name = self.place(parts)
        watch = self.query.get("watch") == "1"
        verb = {
            "GET": "watch" if watch else "get" if name else "list", "POST": "create", "PATCH": "patch",
            "DELETE": "delete",
        }.get(self.command, "update")
        with self.world.lock:
            self.world.log.append({
                "verb": verb, "resource": resource, "namespace": namespace, "name": name, "query": self.query,
                "body": self.body})
        fault = self.world.fault(verb, resource)
        if fault and self.trouble(fault, verb):
            return
        self.check_login()
        if resource == "version":
            return self.answer(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
        if resource.startswith("selfsubjectaccessreviews"):
            return self.review()
        # Of the pods' own objects the Role allows no more than this.
        is_beyond = resource.split(".")[0] in RULES and verb not in ("get", "patch")
        if f"{verb} {resource}" in self.world.denied or is_beyond:
            raise Problem(
                403, "Forbidden", f'{resource} is forbidden: User "system:serviceaccount:payment-chaos:runner" cannot '
                f'{verb} resource "{resource.split(".")[0]}" in the namespace "{namespace}"')
        if path in self.world.extra:
            return self.answer(200, self.world.extra[path])
        known = resource == "pods" or resource.split(".")[0] in CHAOS and self.world.crds
        if not known:
            return self.answer_bytes(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if namespace != NAMESPACE:
            raise Problem(403, "Forbidden", f'{resource} is forbidden: cannot {verb} in the namespace "{namespace}"')
        getattr(self, verb + "_")(resource, name)

    def place(self, parts):
        """Resource, namespace and name of a path."""
        if parts[0] == "version":
            return "version", None, None
        group = None
        if parts[0] == "apis":
            group, parts = parts[1], parts[3:]
        else:
            parts = parts[2:]
        namespace = None
        if parts and parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        if not parts:
            return f"resources.{group}", None, None
        resource = parts[0] + (f".{group}" if group else "")
        return resource, namespace, parts[1] if len(parts) > 1 else None

    def check_login(self):
        world = self.world
        if world.needs_certificate:
            subject = dict(pair[0] for pair in (self.request.getpeercert() or {}).get("subject", ()))
            if subject.get("commonName") == "engineer":
                return
        elif self.headers.get("Authorization", "") in [f"Bearer {token}" for token in world.tokens]:
            return
        raise Problem(401, "Unauthorized", "Unauthorized")

    # Trouble

    def trouble(self, fault, verb):
        """Returns whether that was the answer."""
        what = fault["do"]
        if what == "pass":
            return False  # the calls before the one that is meant
        if what == "status":
            status = {"kind": "Status", "status": "Failure", "message": fault.get("message", "asked for by the test"),
                      "reason": fault.get("reason", ""), "code": fault["code"]}
            self.answer(fault["code"], status, fault.get("headers"))
            return True
        if what == "hang":
            time.sleep(fault.get("seconds", 3600))
            return False
        if what == "late":
            # Does it, and says nothing.
            self.command_only(verb)
            time.sleep(fault.get("seconds", 3600))
            self.close_connection = True
            return True
        if what == "garbage":
            self.answer_bytes(200, b"<html>login</html>", "text/html")
            return True
        if what == "nonsense":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        if what == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"metadata":')
        self.wfile.flush()
        self.close_connection = True
        self.request.close()
        return True

    def command_only(self, verb):
        """Carries the command out without an answer."""
        import io
        out, self.wfile = self.wfile, io.BytesIO()
        try:
            resource, _, name = self.place([urllib.parse.unquote(p) for p in self.path.split("?")[0].split("/")[1:]])
            getattr(self, verb + "_")(resource, name)
        finally:
            self.wfile = out

    # Verbs

    def review(self):
        asked = self.body["spec"]["resourceAttributes"]
        resource = asked["resource"] + (f'.{asked["group"]}' if asked["group"] else "")
        allowed = f'{asked["verb"]} {resource}' not in self.world.denied
        self.answer(201, {"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}})

    def get_(self, resource, name):
        self.answer(200, self.world.store.get(resource, NAMESPACE, name))

    def list_(self, resource, name):
        items, version = self.world.store.list(resource, NAMESPACE, self.query.get("labelSelector"))
        metadata = {"resourceVersion": str(version)}
        size = min(int(self.query.get("limit") or 500), self.world.page or 500)
        start = int(self.query.get("continue") or 0)
        if start + size < len(items):
            metadata["continue"] = str(start + size)
        self.answer(200, {"kind": "List", "metadata": metadata, "items": items[start:start + size]})

    def create_(self, resource, name):
        item = self.body
        plural = resource.split(".")[0]
        if item.get("kind") != CHAOS.get(plural):
            raise Problem(400, "BadRequest", f"the kind does not fit {plural}")
        self.answer(201, self.world.store.put(resource, NAMESPACE, item, is_new=True))

    def patch_(self, resource, name):
        if self.headers.get("Content-Type") != "application/merge-patch+json":
            raise Problem(415, "UnsupportedMediaType", "the body is of a kind that is not known")
        if "spec" in self.body and resource.split(".")[0] not in RULES:
            raise Problem(403, "Forbidden", 'admission webhook "vchaos.kb.io" denied the request: Cannot update chaos spec')

        def change(item):
            wanted = self.body.get("metadata", {}).get("resourceVersion")
            if wanted and wanted != item["metadata"]["resourceVersion"]:
                raise Problem(409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}": the object has '
                              "been modified; please apply your changes to the latest version and try again")
            merge(item, self.body)
        self.answer(200, self.world.store.change(resource, NAMESPACE, name, change))

    def delete_(self, resource, name):
        preconditions = (self.body or {}).get("preconditions", {})
        is_foreground = (self.body or {}).get("propagationPolicy") == "Foreground"
        self.answer(200, self.world.store.delete(resource, NAMESPACE, name, preconditions, is_foreground))

    def watch_(self, resource, name):
        world = self.world
        version = int(self.query.get("resourceVersion") or 0)
        field = self.query.get("fieldSelector", "")
        only = field.split("=", 1)[1] if field.startswith("metadata.name=") else None
        world.store.since(version, resource, NAMESPACE, only, 0)  # too old is an answer, not an event
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = time.monotonic() + float(self.query.get("timeoutSeconds") or 300)
        count = 0
        try:
            while time.monotonic() < end:
                try:
                    events, newest = world.store.since(version, resource, NAMESPACE, only, world.bookmark_seconds)
                except Problem as problem:
                    self.chunk({"type": "ERROR", "object": problem.body})
                    break
                for number, _, kind, item in events:
                    self.chunk({"type": kind, "object": item})
                    version, count = number, count + 1
                if not events:
                    version = newest
                    self.chunk({"type": "BOOKMARK", "object": {
                        "kind": "Bookmark", "metadata": {"resourceVersion": str(newest)}}})
                if world.watch_events and count >= world.watch_events:
                    break
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def chunk(self, event):
        data = json.dumps(event).encode() + b"\n"
        pieces = [data]
        if self.world.chunk_pause:
            third = len(data) // 3 + 1
            pieces = [data[start:start + third] for start in range(0, len(data), third)]
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            time.sleep(self.world.chunk_pause)


def merge(item, changes):
    """RFC 7396."""
    for key, value in changes.items():
        if value is None:
            item.pop(key, None)
        elif isinstance(value, dict):
            merge(item.setdefault(key, {}), value)
        else:
            item[key] = value


class Control(http.server.BaseHTTPRequestHandler):
    """Plain HTTP for the test: PUT /settings, PUT /pods, PUT /chaos, POST /compact, GET /log, GET /objects."""

    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *arguments):
        pass

    def do_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        data = json.dumps(self.act(self.path, body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_any

    def act(self, path, body):
        world = self.world
        if path == "/settings":
            for name, value in body.items():
                holder = world.controller if hasattr(world.controller, name) else world
                setattr(holder, name, value)
        elif path == "/pods":
            for pod in body:
                world.store.put("pods", NAMESPACE, pod)
        elif path == "/delete":
            world.store.change(body["resource"], NAMESPACE, body["name"], lambda item: item["metadata"].pop("finalizers", None))
            world.store.delete(body["resource"], NAMESPACE, body["name"], {})
        elif path == "/chaos":
            plural = next(plural for plural, kind in CHAOS.items() if kind == body["kind"])
            world.store.put(plural + ".chaos-mesh.org", NAMESPACE, body)
        elif path == "/compact":
            world.store.forget_history()
        elif path == "/log":
            with world.lock:
                return world.log
        elif path == "/objects":
            return [item for _, item in sorted(world.store.objects.items())]
        return {}


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that does not trust us, or that went away


def main():
    settings = json.loads(sys.stdin.readline())
    world = World()
    Handler.world = Control.world = world
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings["certificate"], settings["key"])
    context.load_verify_locations(settings["clientAuthorities"])
    context.verify_mode = ssl.CERT_OPTIONAL
    api = Server(("127.0.0.1", 0), Handler)
    api.socket = context.wrap_socket(api.socket, server_side=True, do_handshake_on_connect=False)
    control = Server(("127.0.0.1", 0), Control)
    for server in (api, control):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    world.controller.start()
    print(json.dumps({"port": api.server_port, "control": control.server_port}), flush=True)
    sys.stdin.read()


main()
