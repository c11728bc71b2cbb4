"""What every browser test stands on: one real Chromium, and pages that keep account of what they did.

    browser --> context (size, light or dark, no network) --> watched page: .errors, .requests
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
from playwright.sync_api import sync_playwright

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
JOURNAL = REPOSITORY / "Tests" / "Fixtures" / "journals" / "packet-loss-80-percent.json"
# Debian's name first, then what other systems call it.
CHROMIUM = ["chromium", "chromium-browser", "google-chrome"]


@pytest.fixture(scope="session")
def runner():
    """Runs the command line under test; fails on any exit code that is not expected."""
    binary = os.environ.get("SCENARIO_RUNNER", str(REPOSITORY / ".build" / "debug" / "scenario-runner"))

    def run(*arguments, codes=(0,)):
        ended = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert ended.returncode in codes, ended.stderr
        return ended.stdout

    return run


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "chromium is missing: scripts/prerequisites.sh browser"
    # A sandbox needs a user other than root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class WatchedPage:
    """A page with everything that it complained about and asked for."""

    def __init__(self, page):
        self.page = page
        self.errors = []
        self.requests = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def open_page(browser):
    """Opens a file or an address; `offline` takes the network away before anything is loaded."""
    contexts = []

    def open(address, width=1280, height=900, dark=False, offline=False, scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            offline=offline,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        watched = WatchedPage(context.new_page())
        watched.page.goto(address.as_uri() if isinstance(address, pathlib.Path) else address)
        return watched

    yield open
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def journal():
    """The journal of a real run, as it was written."""
    return json.loads(JOURNAL.read_text())


@pytest.fixture(scope="session")
def report(runner, tmp_path_factory):
    """Makes the HTML report of a journal, and returns its file."""

    def make(journal):
        folder = tmp_path_factory.mktemp("report")
        source, target = folder / "journal.json", folder / "report.html"
        source.write_text(json.dumps(journal))
        runner("report", source, "--format", "html", "--out", target)
        return target

    return make
