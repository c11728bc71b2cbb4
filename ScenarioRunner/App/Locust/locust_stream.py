"""Tells the runner how a Locust goes. The runner loads this file before the profile: locust -f locust_stream.py,profile.py

Standard output carries one JSON line a second, in the shape of a Locust master's GET /stats/requests, and a last one
with "exit_code"; whatever else would be printed there goes to standard error. When standard input ends, the runner
is gone, and the whole process group ends with it.
"""

import json
import os
import signal
import time

import gevent
from gevent import monkey
from locust import events, stats
from locust.html import get_html_report

MAX_ENDPOINTS = 100
MAX_ERRORS = 50
MAX_TEXT = 200

lines = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
current = None


def watch_the_runner():
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


# A real thread: a profile that never yields blocks every greenlet, and must not outlive the runner either.
monkey.get_original("_thread", "start_new_thread")(watch_the_runner, ())


def short(value):
    return str(value)[:MAX_TEXT]


def endpoint(entry):
    return {**entry.to_dict(), "name": short(entry.name), "method": short(entry.method)}


def report(environment):
    runner = environment.runner
    total = runner.stats.total
    entries = stats.sort_stats(runner.stats.entries)[:MAX_ENDPOINTS]
    errors = sorted(runner.errors.values(), key=lambda error: -error.occurrences)[:MAX_ERRORS]
    exceptions = list(runner.exceptions.values())[:MAX_ERRORS]
    return {
        "time": time.time(),
        "state": runner.state,
        "user_count": runner.user_count,
        "stats": [endpoint(entry) for entry in entries] + [total.to_dict()],
        "errors": [
            {
                "method": short(error.method),
                "name": short(error.name),
                "error": short(stats.StatsError.parse_error(error.error)),
                "occurrences": error.occurrences,
            }
            for error in errors
        ],
        "exceptions": [{"count": exception["count"], "msg": short(exception["msg"])} for exception in exceptions],
        "current_response_time_percentiles": {
            f"response_time_percentile_{percentile}": total.get_current_response_time_percentile(percentile)
            for percentile in (0.5, 0.95)
        },
    }


def write(document):
    lines.write(json.dumps(document) + "\n")


def every_second(environment):
    while True:
        gevent.sleep(1)
        write(report(environment))


@events.init.add_listener
def begin(environment, **_):
    global current
    current = environment
    # The report names one file, by default the first: the users' own.
    environment.locustfile = os.path.basename(environment.parsed_locustfiles[-1])
    for user in environment.user_classes:
        user.host = user.host or os.environ.get("PAYMENT_URL")
    gevent.spawn(every_second, environment)


@events.quit.add_listener
def end(exit_code, **_):
    if current is None:
        return
    path = current.parsed_options.html_file
    # Locust itself writes its page only when the time is up, not at a SIGTERM.
    if path and not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as page:
            page.write(get_html_report(current, show_download_link=False))
    write({**report(current), "exit_code": exit_code})
