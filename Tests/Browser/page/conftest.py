"""A real lab with the page, for all tests of it: every test gets it armed, quiet and without payment failures.

    lab --> open_view("scenarios") --> a watched page, whose complaints fail the test
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SCENARIO_RUNNER", str(REPOSITORY / ".build" / "debug" / "scenario-runner"))
START_S = 60
END_S = 30


class Lab:
    """`scenario-runner lab` in a folder and on ports of its own. It ends when its standard input does."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = free_ports(4)
        self.url = f"http://127.0.0.1:{self.ports[3]}"
        self.payment_url = f"http://127.0.0.1:{self.ports[0]}"
        self.process = None

    def start(self):
        arguments = ["lab", "--state", self.folder, "--ports", ",".join(map(str, self.ports)), "--no-limits",
                     "--experiments", self.folder / "experiments", "--until-input-ends"]
        self.log = open(self.folder / "lab.log", "ab")
        self.process = subprocess.Popen([BINARY, *map(str, arguments)], cwd=REPOSITORY, stdin=subprocess.PIPE,
                                        stdout=self.log, stderr=self.log)
        wait_until(self.is_up, START_S, "the lab to be up")

    def is_up(self):
        assert self.process.poll() is None, (self.folder / "lab.log").read_text()
        return "lab is up" in (self.folder / "lab.log").read_text() and self.get("/health/ready", codes=(200, 503)) is not None

    def stop(self):
        self.process.stdin.close()
        self.process.wait(END_S)
        self.log.close()
        (self.folder / "lab.log").unlink()

    def request(self, method, address, body=None, codes=(200, 202)):
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(address, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except (urllib.error.URLError, ConnectionError):
            return None
        assert status in codes, f"{method} {address}: {status} {text[:300]}"
        return json.loads(text)

    def get(self, path, **options):
        return self.request("GET", self.url + path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", self.url + path, body, **options)

    def pay(self, codes, **more):
        body = {"amount": "19.99", "currency": "USD", "product_id": "1", **more}
        return self.request("POST", f"{self.payment_url}/payment/process", body, codes=codes)

    def refusal(self, experiment):
        """Why this machine cannot do an experiment; None when it can."""
        known = {one["name"]: one for one in self.get("/api/experiments")}
        return None if known[experiment]["supported"] else known[experiment]["refusal"]

    def needs(self, experiment):
        """Skips the test where the machine cannot do this experiment."""
        if reason := self.refusal(experiment):
            pytest.skip(reason)

    def run(self, experiment, **options):
        """Starts a run, and returns its id; skips the test where the machine cannot do it."""
        self.needs(experiment)
        self.post("/api/chaos-rate-limit-reset")
        return self.post("/api/runs", {"experiment": experiment, "rate": 10, "seed": 1, **options}, codes=(202,))["id"]

    def wait_for_end(self, run):
        wait_until(lambda: self.get(f"/api/runs/{run}")["state"] == "finished", 90, f"the end of {run}")

    def ended_runs(self, count):
        """Ids of measured runs that have ended, newest first; those that are missing are made.

        They are long enough before and during the fault to be compared, which takes 5 whole seconds.
        """
        def known():
            return [run["id"] for run in self.get("/api/runs")["runs"] if run["state"] == "finished" and run["success_rate"]]

        # Duplicated packets do no harm; without namespaces there are none.
        experiment = "pod-kill-payment" if self.refusal("duplicate-packets") else "duplicate-packets"
        while len(known()) < count:
            self.wait_for_end(self.run(experiment, baseline="6s", duration="6s", recovery="3s"))
        return known()[:count]

    def make_quiet(self):
        self.post("/api/rearm")
        self.post("/api/payment-scenarios/reset")
        self.request("PUT", f"{self.url}/api/resilience", {"profile": "naive", "inventory_pool": None})
        for kind in ("load", "locust"):
            self.post(f"/api/{kind}/stop", codes=(200, 202, 404))
        for run in self.get("/api/runs")["runs"]:
            if run["state"] != "finished":
                self.post(f"/api/runs/{run['id']}/stop")
                self.wait_for_end(run["id"])
        self.post("/api/chaos-rate-limit-reset")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def wait_until(condition, seconds, what):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"waited {seconds} s in vain for {what}"
        time.sleep(0.1)


def until(page, script):
    """Waits until `script` is true. Playwright's own waiting evaluates texts, which the page's policy forbids."""
    wait_until(lambda: page.evaluate(script), 20, script)


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    experiments = folder / "experiments"
    experiments.mkdir()
    for file in (REPOSITORY / "chaos-experiments").glob("*.yaml"):
        (experiments / file.name).write_text(file.read_text())
    lab = Lab(folder)
    lab.start()
    yield lab
    lab.stop()


@pytest.fixture
def lab(running_lab):
    running_lab.make_quiet()
    yield running_lab
    running_lab.make_quiet()


@pytest.fixture
def open_view(lab, open_page):
    """Opens a view of the page. At the end of the test no page may have complained or asked another origin."""
    opened = []

    def open(view="system", **options):
        watched = open_page(f"{lab.url}/#/{view}", **options)
        opened.append(watched)
        page = watched.page
        page.set_default_timeout(20_000)
        until(page, "document.querySelector('#connection').dataset.state === 'live'")
        page.wait_for_selector("main h1")
        return watched

    # Patterns of what the browser may say in this test: it speaks of every answer that is no success.
    open.expected = []
    yield open
    for watched in opened:
        unexpected = [error for error in watched.errors if not any(re.search(pattern, error) for pattern in open.expected)]
        assert unexpected == []
        assert [url for url in watched.requests if not url.startswith((f"{lab.url}/", "data:", "about:"))] == []
