#!/usr/bin/env python3
"""Holds the load generator against servers whose numbers are known, and against other generators.

    bench.py [stall] [spread] [wrk] [pace] [speed]      all of them when none is named

BENCH_EXECUTABLES is the folder of scenario-runner, .build/release by default. wrk and nginx must be installed, and
Locust in .lab/venv. Prints what was measured and what was demanded; exits with 1 when a demand was not met.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
RUNNER = os.path.join(ROOT, os.environ.get("BENCH_EXECUTABLES", ".build/release"), "scenario-runner")
LOCUST = os.path.join(ROOT, ".lab/venv/bin/locust")
LOOK = "name: look\nrequests: [{name: look, path: /}]\n"

SERVER_CPU, GENERATOR_CPU = "0", "1"
USERS = 64
SPEED_S = 10

failures = []


def demand(what: str, is_met: bool):
    print(f"  {'ok    ' if is_met else 'FAILED'}  {what}", flush=True)
    if not is_met:
        failures.append(what)


def within(what: str, value: float, expected: float, percent: float):
    off = (value / expected - 1) * 100
    demand(f"{what}: {value:.1f}, expected {expected:.1f} (off by {off:+.1f} %, allowed {percent} %)", abs(off) <= percent)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def process(command, ready):
    """Runs a server until the block ends; `ready` waits until it serves."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ready(server)
        yield
    finally:
        server.terminate()
        server.wait(timeout=10)


@contextlib.contextmanager
def slow_server(mode: str):
    port = free_port()
    command = pinned(SERVER_CPU, [sys.executable, os.path.join(HERE, "slow_server.py"), str(port), mode])
    with process(command, lambda server: server.stdout.readline()):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as file:
            file.write(
                f"worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
                "events { worker_connections 4096; }\n"
                "http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;\n"
                f"  server {{ listen 127.0.0.1:{port} backlog=4096;\n"
                "    location / { default_type application/json; return 200 '{\"status\":\"success\"}'; } } }\n")

        def ready(server):
            for _ in range(500):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    return
                server.poll() is None or sys.exit("nginx does not start")
                subprocess.run(["sleep", "0.01"])
            sys.exit("nginx does not answer")

        with process(pinned(SERVER_CPU, ["nginx", "-c", config, "-e", f"{folder}/error.log"]), ready):
            yield f"http://127.0.0.1:{port}"


def pinned(cpu: str, command):
    return ["taskset", "-c", cpu] + command


def load(url: str, *options) -> dict:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as profile:
        profile.write(LOOK)
        profile.flush()
        result = subprocess.run(
            pinned(GENERATOR_CPU, [RUNNER, "load", profile.name, "--base-url", url, "--json", *options]),
            stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(result.stdout)


def wrk(url: str, connections: int, seconds: int):
    """Requests a second, and microseconds of processor time a request."""
    before = os.times()
    text = subprocess.run(
        pinned(GENERATOR_CPU, ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url + "/"]),
        stdout=subprocess.PIPE, check=True, text=True).stdout
    cpu = children_cpu(before)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1]), cpu * 1e6 / int(re.search(r"(\d+) requests in", text)[1])


def children_cpu(before) -> float:
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def locust(url: str, user: str):
    """Requests a second, and microseconds of processor time a request."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "users.py")
        with open(file, "w") as text:
            text.write(
                f"from locust import {user}, constant, task\n"
                f"class Visitor({user}):\n"
                "    wait_time = constant(0)\n"
                "    @task\n"
                "    def look(self):\n"
                "        self.client.get('/')\n")
        before = os.times()
        subprocess.run(
            pinned(GENERATOR_CPU, [
                LOCUST, "-f", file, "--headless", "-u", str(USERS), "-r", str(USERS), "-t", f"{SPEED_S}s", "-H", url,
                "--csv", os.path.join(folder, "out"), "--only-summary", "--loglevel", "ERROR"]),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        cpu = children_cpu(before)
        with open(os.path.join(folder, "out_stats.csv")) as csv:
            lines = [line.strip().split(",") for line in csv]
    total = dict(zip(lines[0], lines[-1]))
    return float(total["Requests/s"]), cpu * 1e6 / float(total["Request Count"])


# What is shown


def stall():
    print("A server that answers nobody for 1 s in every 10: of evenly spread users p99 waits 0.9 s, p99.9 0.99 s")
    with slow_server("stall") as url:
        open_model = load(url, "--rate", "200", "--duration", "60s")
        closed = load(url, "--model", "closed", "--users", "10", "--duration", "30s")
    within("open model, p99 in ms", open_model["p99_ms"], 900, 3)
    within("open model, p99.9 in ms", open_model["p999_ms"], 990, 3)
    demand(f"open model, p50 under 5 ms: {open_model['p50_ms']:.2f} ms", open_model["p50_ms"] < 5)
    demand(f"the closed model does not see it: p99 {closed['p99_ms']:.2f} ms", closed["p99_ms"] < 90)


def spread():
    print("A server that answers after 100 to 500 ms, evenly spread")
    with slow_server("spread") as url:
        for arrivals in ("constant", "poisson"):
            summary = load(url, "--rate", "300", "--duration", "30s", "--arrivals", arrivals)
            for name, percentile in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("p999", 99.9)):
                within(f"{arrivals} arrivals, {name} in ms", summary[f"{name}_ms"], 100 + 4 * percentile, 2)


def agreement():
    print("The same path with the same users from wrk, at a server that answers after 50 ms")
    with slow_server("fixed") as url:
        theirs, _ = wrk(url, 50, 15)
        closed = load(url, "--model", "closed", "--users", "50", "--duration", "15s")
        open_model = load(url, "--rate", f"{theirs:.1f}", "--duration", "15s")
    within("closed model, answers a second, against wrk's", closed["throughput_rps"], theirs, 3)
    within("open model at wrk's rate, answers a second", open_model["throughput_rps"], theirs, 3)


def pace():
    print("5,000 requests a second, in time")
    with nginx() as url:
        for arrivals in ("constant", "poisson"):
            summary = load(url, "--rate", "5000", "--duration", f"{SPEED_S}s", "--arrivals", arrivals)
            late = summary["late_sends"] * 100 / summary["requests"]
            demand(f"{arrivals} arrivals, later than 1 ms: {late:.2f} % (under 1 %)", late < 1)
            within(f"{arrivals} arrivals, answers a second", summary["throughput_rps"], 5000, 2)


def speed():
    print(f"As fast as they can, {USERS} connections, one processor each for the generator and for nginx")
    with nginx() as url:
        summary = load(url, "--model", "closed", "--users", str(USERS), "--duration", f"{SPEED_S}s")
        rows = {
            "scenario-runner load": (summary["throughput_rps"], summary["cpu_us_per_request"]),
            "wrk": wrk(url, USERS, SPEED_S),
            "Locust FastHttpUser": locust(url, "FastHttpUser"),
            "Locust HttpUser": locust(url, "HttpUser"),
        }
    ours = rows["scenario-runner load"][0]
    print(f"  {'':22}{'requests/s':>12}{'CPU us/request':>16}{'ours is':>10}")
    for name, (rate, cpu) in rows.items():
        print(f"  {name:22}{rate:12.0f}{cpu:16.1f}{ours / rate:9.1f}x")
    demand(f"25,000 requests a second: {ours:.0f}", ours >= 25_000)
    demand(f"4 times FastHttpUser: {ours / rows['Locust FastHttpUser'][0]:.1f}", ours >= 4 * rows["Locust FastHttpUser"][0])
    demand(f"12 times HttpUser: {ours / rows['Locust HttpUser'][0]:.1f}", ours >= 12 * rows["Locust HttpUser"][0])


PARTS = {"stall": stall, "spread": spread, "wrk": agreement, "pace": pace, "speed": speed}

if __name__ == "__main__":
    names = sys.argv[1:] or list(PARTS)
    if not set(names) <= set(PARTS):
        sys.exit(__doc__)
    for name in names:
        PARTS[name]()
    sys.exit(1 if failures else 0)
