"""What holds for every view: easy to use for everyone, small, quick, and of a size that does not grow."""

import os
import statistics
import time

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import until

VIEWS = ["system", "live", "scenarios", "failures", "resilience", "load", "runs", "payments"]
FIRST_LOAD_BYTES = 150_000
FIRST_LOADS = 5
GROWTH_BYTES = 10_000_000


@pytest.fixture
def all_views(lab):
    """Every view that there is, with something to show: two runs to compare, and a payment."""
    newer, older = lab.ended_runs(2)
    payment = lab.pay(codes=(200,))["payment_id"]
    return [*VIEWS, f"runs/{newer}", f"compare/{older}/{newer}", f"payments/{payment}"]


def grave_violations(page):
    # A report inside the page has tests of its own.
    found = Axe().run(page, context={"exclude": [["iframe"]]}).response["violations"]
    return [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in found
            if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_violation_of_axe(lab, open_view, all_views, dark):
    """Each view as it is in quiet, then while a fault acts and payments fail, in dialogs, and halted."""
    page = open_view("system", dark=dark).page
    for view in all_views:
        show(page, view)
        assert grave_violations(page) == [], view

    lab.post("/api/payment-scenarios/card-decline?enabled=true&probability=20")
    lab.run("packet-loss-80-percent", baseline="1s", duration="60s")
    show(page, "system")
    page.locator(".edge[data-fault=loss]").wait_for(state="attached")
    for view in ["system", "live", "scenarios", "failures", "runs"]:
        show(page, view)
        assert grave_violations(page) == [], f"{view} in fault"
    show(page, "scenarios")
    page.get_by_role("button", name="Plan").first.click()
    page.get_by_role("heading", name="What happens").wait_for()
    assert grave_violations(page) == [], "plan"
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    assert grave_violations(page) == [], "asked whether to halt"
    page.keyboard.press("Enter")
    page.locator("#halted").wait_for()
    open_view.expected.append("423")
    page.get_by_role("button", name="Run", exact=True).first.click()
    page.locator(".message").wait_for()
    assert grave_violations(page) == [], "halted, and refused"


@pytest.mark.parametrize("width", [360, 390, 768, 1100, 1440, 2560])
def test_fits_every_width(lab, open_view, all_views, width):
    page = open_view("system", width=width).page
    for view in all_views:
        show(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
        assert page.get_by_role("button", name="Halt everything").is_visible(), view


def test_headings_landmarks_and_names(lab, open_view, all_views):
    page = open_view("system").page
    for view in all_views:
        show(page, view)
        levels = [int(level) for level in page.evaluate(
            "[...document.querySelectorAll('main :is(h1,h2,h3)')].filter((h) => h.checkVisibility()).map((h) => h.tagName[1])")]
        assert levels[0] == 1 and levels.count(1) == 1, view
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:])), view
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
        assert len(ids) == len(set(ids)), view
        assert page.locator("nav [aria-current=page]").count() == 1, view
        assert page.title() != "payment-chaos", view


def test_motion_can_be_switched_off(lab, browser, open_view):
    page = open_view("system").page
    page.emulate_media(reduced_motion="reduce")
    lab.run("duplicate-packets", baseline="30s")
    pulse = page.locator("#activity .pulse")
    pulse.wait_for()
    assert pulse.evaluate("dot => getComputedStyle(dot).animationName") == "none"


def test_first_load_is_small_and_quick(lab, browser, capsys):
    """The size is a promise; the time is printed, for the machine may be busy with other things."""
    times = []
    for _ in range(FIRST_LOADS):
        # A context of its own has an empty cache.
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        answers = {}
        page.on("response", lambda answer: None if "/api/" in answer.url else answers.__setitem__(answer.url, answer))
        page.add_init_script(
            "new MutationObserver(() => { if (!window.shownAt && document.querySelector('.topology-canvas'))"
            " window.shownAt = performance.now(); }).observe(document, { childList: true, subtree: true });")
        page.goto(lab.url)
        until(page, "window.shownAt")
        times.append(page.evaluate("window.shownAt"))
        page.wait_for_timeout(500)
        total = sum(len(answer.body()) for answer in answers.values())
        context.close()
        assert total < FIRST_LOAD_BYTES
    with capsys.disabled():
        print(f"\nfirst load: {total} bytes in {len(answers)} files, interactive after {statistics.median(times):.0f} ms"
              f" (median of {', '.join(f'{one:.0f}' for one in sorted(times))})")


def test_growth(lab, open_view, capsys):
    """Live charts under load and every view again and again: the page stays as it was.

    PAGE_SOAK_MINUTES makes it long.
    """
    minutes = float(os.environ.get("PAGE_SOAK_MINUTES", "0.1"))
    rounds = 1 if minutes < 1 else 20
    lab.run("duplicate-packets", baseline="600s", duration="900s", recovery="600s", rate=20)
    page = open_view("system").page
    session = page.context.new_cdp_session(page)

    def size():
        session.send("HeapProfiler.collectGarbage")
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"]

    def tour():
        for view in VIEWS:
            show(page, view)
        show(page, "live")

    session.send("Performance.enable")
    tour()
    page.locator("[data-chart=latency] path[data-line=p95][d^=M]").wait_for()
    before = size()
    limit = time.monotonic() + minutes * 60
    while time.monotonic() < limit:
        page.wait_for_timeout(min(30_000, max(0, limit - time.monotonic()) * 1000))
    for _ in range(rounds):
        tour()
    after = size()
    with capsys.disabled():
        print(f"\nafter {minutes:g} min: heap {before[0] / 1e6:.1f} -> {after[0] / 1e6:.1f} MB, nodes {before[1]:.0f} -> {after[1]:.0f},"
              f" listeners {before[2]:.0f} -> {after[2]:.0f}")
    assert after[0] - before[0] < GROWTH_BYTES
    assert after[1] < before[1] * 2 + 500 and after[2] < before[2] * 2 + 200


def show(page, view):
    page.evaluate("view => { location.hash = `#/${view}`; }", view)
    page.locator(f".view-{view.split('/')[0]} h1").wait_for()
    page.wait_for_timeout(150)
