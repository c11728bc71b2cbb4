"""Pictures of every view in the middle of a real run, for the documentation: `make screenshots`."""

import io
import os
import pathlib

import pytest
from PIL import Image

from .conftest import wait_until

FOLDER = os.environ.get("SCREENSHOTS")
MOST_BYTES = 150_000
VIEWS = ["system", "live", "scenarios", "failures", "resilience", "load", "runs", "payments"]
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
PHASES = {"baseline": "10s", "duration": "20s", "recovery": "10s", "rate": 20}


@pytest.mark.skipif(not FOLDER, reason="SCREENSHOTS names no folder")
def test_screenshots(lab, open_view):
    folder = pathlib.Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    put_load(lab)
    naive, hardened, _ = [
        ended(lab, "packet-loss-80-percent", resilience="naive"), ended(lab, "packet-loss-80-percent", resilience="hardened"),
        ended(lab, "pod-kill-payment")]
    lab.post("/api/payment-scenarios/card-decline?enabled=true&probability=20")
    run = lab.run("packet-loss-80-percent", **{**PHASES, "duration": "150s"})
    pages = {(size, theme): open_view("system", width=SIZES[size][0], height=SIZES[size][1], dark=theme == "dark").page
             for size in SIZES for theme in ("light", "dark")}
    first = next(iter(pages.values()))
    first.locator(".edge[data-fault=loss]").wait_for(state="attached")
    first.wait_for_timeout(10_000)
    for view in VIEWS:
        picture(pages, view, folder / f"page-{view}")
    payment = next(one["payment_id"] for one in lab.get("/api/payments?limit=100")["payments"] if one["status"] == "completed")
    picture(pages, f"payments/{payment}", folder / "page-payment")
    lab.post(f"/api/runs/{run}/stop")
    lab.wait_for_end(run)
    picture(pages, f"compare/{naive}/{hardened}", folder / "page-compare")
    picture(pages, f"runs/{naive}", folder / "page-run")


def put_load(lab):
    """A load of the generator, and one of Locust where it is installed."""
    lab.post("/api/load", {"profile": "checkout", "rate": 30, "duration": "10s"})
    wait_until(lambda: lab.get("/api/load")["state"] == "finished", 40, "the end of the load")
    if lab.get("/api/locust")["available"]:
        lab.post("/api/run_locust/shopper.py?num_users=10&run_time=10s")
        wait_until(lambda: lab.get("/api/locust")["current"] is None, 60, "the end of Locust")


def ended(lab, experiment, **options):
    run = lab.run(experiment, **PHASES, **options)
    lab.wait_for_end(run)
    return run


def picture(pages, view, name):
    for (size, theme), page in pages.items():
        page.evaluate("view => { location.hash = `#/${view}`; }", view)
        page.locator(f".view-{view.split('/')[0]} h1").wait_for()
    # What a view asks for comes, charts are drawn, reports in frames among them.
    next(iter(pages.values())).wait_for_timeout(2500)
    for (size, theme), page in pages.items():
        save(page.screenshot(), name.with_name(f"{name.name}-{size}-{theme}.png"))


def save(screenshot, file):
    """In as many colours as fit."""
    image = Image.open(io.BytesIO(screenshot)).convert("RGB")
    for colours in (256, 128, 64):
        image.quantize(colours, dither=Image.Dither.NONE).save(file, optimize=True)
        if file.stat().st_size < MOST_BYTES:
            return
    raise AssertionError(f"{file} has {file.stat().st_size} bytes")
