"""The HTML report of a run, opened from disk in a real browser that has no network."""

import copy
import re

import pytest

CHARTS = ["requests", "success", "latency"]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture(scope="session")
def report_file(report, journal):
    return report(journal)


def test_opens_from_disk_without_network_or_complaint(open_page, report_file, journal):
    watched = open_page(report_file, offline=True)
    assert watched.errors == []
    assert watched.requests == [report_file.as_uri()], "the file itself and nothing else"
    assert watched.page.locator("h1").inner_text() == journal["experiment"]
    assert journal["verdict"] in watched.page.locator(".hero .badge").inner_text().lower()
    for reason in journal["reasons"]:
        assert watched.page.get_by_text(reason, exact=True).first.is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_charts_are_drawn(open_page, report_file, journal, scripts):
    """With and without a script: paths with coordinates on the canvas, as wide as the page."""
    page = open_page(report_file, offline=True, scripts=scripts).page
    for chart in CHARTS:
        figure = page.locator(f"figure[data-chart={chart}]")
        paths = [path.get_attribute("d") for path in figure.locator("path.line, path.stack, path.offered").all()]
        assert paths, chart
        for path in paths:
            numbers = [float(number) for number in NUMBER.findall(path)]
            assert numbers and "NaN" not in path, chart
            assert 0 <= min(numbers) and max(numbers) <= 1000, chart
        box = figure.locator("svg.canvas").bounding_box()
        assert box["width"] > 600 and box["height"] > 150, chart
        assert figure.locator("title").first.text_content() and figure.locator("desc").first.text_content()
        assert {band.get_attribute("data-phase") for band in figure.locator("rect.band").all()} >= {
            "baseline", "fault", "recovery"}
    # A line a second, where there were requests.
    line = page.locator("figure[data-chart=latency] path.line[data-key=p50]").get_attribute("d")
    measured = sum(1 for second in journal["series"] if second["requests"] > 0)
    assert line.count("M") + line.count("L") == measured


def test_bands_lie_where_the_phases_were(open_page, report_file, journal):
    page = open_page(report_file, offline=True).page
    end = float(page.locator("table[data-seconds]").get_attribute("data-seconds"))
    fault = next(phase for phase in journal["phases"] if phase["name"] == "fault")
    band = page.locator("figure[data-chart=latency] rect.band[data-phase=fault]")
    start = (fault["started_at"] - journal["started_at"]) / end * 1000
    assert float(band.get_attribute("x")) == pytest.approx(start, abs=0.1)
    assert float(band.get_attribute("width")) == pytest.approx(fault["duration_s"] / end * 1000, abs=0.1)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 390, 768, 1280, 1600])
def test_fits_every_width(open_page, report_file, width, dark):
    watched = open_page(report_file, width=width, dark=dark, offline=True)
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.errors == []


CONTRAST = """() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("h1,h2,h3,p,li,dt,dd,td,th,span,summary,text")) {
    if (!element.textContent.trim() || ![...element.childNodes].some((node) => node.nodeType === 3)) continue;
    const style = getComputedStyle(element);
    const colour = parse(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [a, b] = [light(colour), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.textContent.slice(0, 40)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("dark", [False, True])
def test_texts_are_easy_to_read(open_page, report_file, dark):
    """4.5 to 1 at least, as WCAG 2.2 asks at level AA."""
    page = open_page(report_file, dark=dark, offline=True).page
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert page.evaluate(CONTRAST) == []


def test_reads_a_second_out(open_page, report_file, journal):
    watched = open_page(report_file, offline=True)
    plot = watched.page.locator("figure[data-chart=latency] .plot")
    plot.scroll_into_view_if_needed()
    plot.locator("svg.canvas").hover(position={"x": 300, "y": 100})
    reading = watched.page.locator("figure[data-chart=latency] .reading")
    text = reading.inner_text()
    second = int(re.search(r"second (\d+) s", text).group(1))
    assert f"offered {journal['series'][second]['requests']}" in text
    plot.focus()
    watched.page.keyboard.press("ArrowRight")
    assert f"second {second + 1} s" in reading.inner_text()
    watched.page.mouse.move(0, 0)
    assert watched.errors == []


def test_values_stay_text(open_page, report, journal):
    """A journal that was tampered with can neither run a script nor call home."""
    evil = copy.deepcopy(journal)
    attack = "</script><script>alert(1)</script><img src=http://127.0.0.1:9/x onerror=alert(2)><svg onload=alert(3)>"
    evil["experiment"] = evil["fault"] = evil["engine"] = evil["run_id"] = attack
    evil["reasons"] = [attack]
    evil["input"]["manifest"] = attack
    for event in evil["events"]:
        event["name"] = event["detail"] = attack
    file = report(evil)
    watched = open_page(file)
    watched.page.wait_for_timeout(200)
    assert watched.errors == [] and watched.requests == [file.as_uri()]
    assert watched.page.locator("h1").inner_text() == attack
    # What got in all the same would be stopped by the page's policy.
    watched.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\">')")
    watched.page.wait_for_timeout(200)
    assert any("Content Security Policy" in error for error in watched.errors)


def test_headings_and_tables_are_in_order(open_page, report_file):
    page = open_page(report_file, offline=True).page
    levels = [int(level) for level in page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => h.tagName[1])")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    assert page.locator("table").count() == page.locator("table:has(th[scope])").count()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate("document.documentElement.lang") == "en"


def test_comparison_overlays_both_runs(open_page, runner, tmp_path, journal):
    import json

    files = []
    for name in "ab":
        copied = copy.deepcopy(journal)
        copied["run_id"] = f"RUN-{name}"
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(copied))
    target = tmp_path / "compare.html"
    runner("compare", *files, "--fail-on", "any", "--out", target)
    watched = open_page(target, offline=True)
    assert watched.errors == [] and watched.requests == [target.as_uri()]
    for chart in ["success", "throughput", "p50", "p95", "p99"]:
        figure = watched.page.locator(f"figure[data-chart={chart}]")
        for key in "ab":
            assert len(figure.locator(f"path.line[data-key={key}]").get_attribute("d")) > 50, chart
    assert watched.page.get_by_text("no difference", exact=False).first.is_visible()
