"""Pictures of every view in the middle of a real run, for the documentation: `make screenshots`."""

import io
import os
import pathlib

import pytest
from PIL import Image

FOLDER = os.environ.get("SCREENSHOTS")
MOST_BYTES = 200_000
VIEWS = ["system", "live", "scenarios", "failures", "resilience", "load", "runs", "payments"]
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}


@pytest.mark.skipif(not FOLDER, reason="SCREENSHOTS names no folder")
def test_screenshots(lab, open_view):
    folder = pathlib.Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    earlier = []
    for experiment in ["pod-kill-payment", "slow-network"]:
        earlier.append(lab.run(experiment, baseline="10s", duration="20s", recovery="15s", rate=20))
        lab.wait_for_end(earlier[-1])
    lab.post("/api/payment-scenarios/card-decline?enabled=true&probability=20")
    run = lab.run("packet-loss-80-percent", baseline="10s", duration="120s", recovery="10s", rate=20)
    pages = {(size, theme): open_view("system", width=SIZES[size][0], height=SIZES[size][1], dark=theme == "dark").page
             for size in SIZES for theme in ("light", "dark")}
    first = next(iter(pages.values()))
    first.locator(".edge[data-fault=loss]").wait_for(state="attached")
    first.wait_for_timeout(10_000)
    for view in VIEWS:
        for (size, theme), page in pages.items():
            take(page, view, folder / f"page-{view}-{size}-{theme}.png")
    payment = next(one["payment_id"] for one in lab.get("/api/payments?limit=100")["payments"] if one["status"] == "completed")
    for (size, theme), page in pages.items():
        take(page, f"payments/{payment}", folder / f"page-payment-{size}-{theme}.png")
    lab.post(f"/api/runs/{run}/stop")
    lab.wait_for_end(run)
    for (size, theme), page in pages.items():
        take(page, f"compare/{earlier[0]}/{earlier[1]}", folder / f"page-compare-{size}-{theme}.png")
        take(page, f"runs/{earlier[1]}", folder / f"page-run-{size}-{theme}.png")


def take(page, view, file):
    page.evaluate("view => { location.hash = `#/${view}`; }", view)
    page.locator(f".view-{view.split('/')[0]} h1").wait_for()
    page.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 128, 64):
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, optimize=True)
        if file.stat().st_size < MOST_BYTES:
            return
    raise AssertionError(f"{file} has {file.stat().st_size} bytes")
