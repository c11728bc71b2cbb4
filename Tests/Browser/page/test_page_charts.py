"""The live charts: read second by second, and the same wherever and whenever they are opened."""

from .conftest import wait_until


def newest_second(page):
    """Goes back, second by second, to one in which something was measured, and returns what the page says of it.

    Without the time, for the cursor may stand a second beside it.
    """
    page.locator(".board").focus()
    page.keyboard.press("Escape")
    for _ in range(300):
        page.keyboard.press("ArrowLeft")
        words = page.locator("#announcer").text_content()
        if "p95" in words:
            return words.split(": ", 1)[1]
    return "nothing was measured"


def test_charts_are_read_second_by_second(lab, open_view):
    page = open_view("live").page
    lab.post("/api/load", {"profile": "browse", "rate": 10, "duration": "4s"})
    page.locator("[data-chart=latency] path[data-line=p50][d^=M]").wait_for()
    canvas = page.locator("[data-chart=success] svg")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 60)
    page.locator("[data-chart=success] .chart-at:not(:empty)").wait_for()
    assert all(line.get_attribute("visibility") == "visible" for line in page.locator(".cursor").all()), "on all charts at once"
    page.mouse.move(0, 0)
    page.get_by_role("button", name="Pause").click()
    paused = page.locator("[data-chart=latency] path[data-line=p50]").get_attribute("d")
    assert paused
    page.wait_for_timeout(1500)
    assert page.locator("[data-chart=latency] path[data-line=p50]").get_attribute("d") == paused
    assert newest_second(page).startswith("success ")
    page.get_by_role("button", name="Go on").click()


def test_charts_outlive_the_tab(lab, open_view):
    """What a load measured and when payments failed, the runner remembers: after a reload, and in a tab that opens later."""
    always_open = open_view("live").page
    lab.post("/api/payment-scenarios/card-decline?enabled=true&probability=41")
    load = lab.post("/api/load", {"profile": "browse", "rate": 10, "duration": "3s"})["id"]
    wait_until(lambda: lab.get("/api/load")["state"] == "finished", 30, f"the end of {load}")
    lab.post("/api/payment-scenarios/reset")
    later = open_view("live").page
    wait_until(lambda: newest_second(later).startswith("success "), 20, "what was measured before")
    wait_until(lambda: any("decline 41" in words for words in marks(later)), 10, "the failures before")
    last, marked = newest_second(later), marks(later)
    later.reload()
    for tab in (later, always_open):
        wait_until(lambda: newest_second(tab) == last, 20, f"{last} in every tab")
        wait_until(lambda: marks(tab) == marked, 10, f"the marks {marked} in every tab")


def marks(page):
    return page.locator("[data-chart=success] .mark-strip title").all_text_contents()
