"""The page against a real lab: break the system from it, watch it heal, and stop everything."""

import pytest

from .conftest import until, wait_until


def card(page, name):
    return page.locator(".card").filter(has=page.get_by_role("heading", name=name, exact=True))


def test_packet_loss_from_its_card(lab, open_view):
    """Success falls while 80 % of the packets are lost, the path is dashed, and in the end there is a verdict."""
    lab.needs("packet-loss-80-percent")
    page = open_view("scenarios").page
    card(page, "packet-loss-80-percent").get_by_role("button", name="Plan").click()
    dialog = page.get_by_role("dialog", name="packet-loss-80-percent")
    dialog.get_by_text("payment-0 → inventory-0").wait_for()
    # What is usual and what is possible, the runner says.
    for name, choice in lab.get("/api/experiments/packet-loss-80-percent/plan")["choices"].items():
        field = dialog.locator(f"#plan-{name.split('_')[0]}")
        assert [field.input_value(), field.get_attribute("min"), field.get_attribute("max")] == [
            "" if choice["usual"] is None else str(choice["usual"]), str(choice["least"]), str(choice["most"])]
    for label, value in [("Baseline, s", "6"), ("Fault, s", "9"), ("Recovery, s", "8"), ("Seed", "1")]:
        dialog.get_by_label(label).fill(value)
    dialog.get_by_role("button", name="Run").click()
    card(page, "packet-loss-80-percent").get_by_text("left").wait_for()

    page.get_by_role("link", name="System").first.click()
    dashed = page.locator(".edge[data-from=payment][data-to=inventory][data-fault=loss]")
    dashed.wait_for(state="attached")
    assert dashed.evaluate("path => getComputedStyle(path).strokeDasharray") != "none"
    assert "80" in page.locator(".fault-badge[visibility=visible]").text_content()
    assert page.get_by_role("heading", name="A fault acts").is_visible()
    until(page, "parseFloat(document.querySelector('[data-chart=success] .now').textContent) < 90")
    assert page.locator("[data-chart=success] .band[data-phase=fault]").count() == 1
    poor = page.locator(".edge-label[data-poor]").filter(has_text="/s")
    poor.first.wait_for(state="attached")

    dashed.wait_for(state="detached")
    until(page, "parseFloat(document.querySelector('[data-chart=success] .now').textContent) === 100")
    until(page, "document.querySelector('[data-chart=success] .band[data-phase=recovery]') !== null")
    page.get_by_role("link", name="Runs").click()
    run = lab.get("/api/runs")["runs"][0]
    lab.wait_for_end(run["id"])
    row = page.locator(".runs tbody tr").first
    row.locator(".badge:not([hidden])").wait_for()
    assert row.get_by_role("link").inner_text() == "packet-loss-80-percent"
    ended = lab.get(f"/api/runs/{run['id']}")
    assert row.locator(".badge").inner_text().split()[-1] == ended["verdict"]
    assert row.locator("[data-label=Money]").inner_text() == ended["money"] == "right"
    assert ended["p95_factor"] > 2 and row.locator("[data-label=p95][data-poor]").inner_text().startswith("\u00d7")


def test_two_runs_compared(lab, open_view):
    newer, older = lab.ended_runs(2)
    page = open_view("runs").page
    ticks = page.get_by_role("checkbox")
    assert page.get_by_role("button", name="Compare").get_attribute("aria-disabled") == "true"
    ticks.nth(0).check()
    ticks.nth(1).check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name="Two runs compared").wait_for()
    assert page.evaluate("location.hash") == f"#/compare/{older}/{newer}", "the older one is held against the newer"
    rows = page.get_by_role("table", name="Both runs in numbers").locator("tbody tr")
    rows.first.wait_for()
    comparison = lab.get(f"/api/compare?a={older}&b={newer}")
    assert rows.count() == len(comparison["lines"]) >= 5
    assert page.get_by_text("differs", exact=True).count() == sum(line["differs"] for line in comparison["lines"])
    drawn = page.frame_locator("iframe").get_by_role("heading", name="Both runs")
    drawn.wait_for()
    assert page.locator(".versus").get_by_role("link").count() == 2

    page.locator(".versus a").first.click()
    summary = page.get_by_role("table", name="Before, during and after the fault")
    summary.wait_for()
    assert summary.locator("tbody tr").count() == 3
    with page.expect_download() as download:
        page.get_by_role("link", name="Journal").click()
    assert download.value.suggested_filename == f"{older}.json"


@pytest.mark.parametrize("title, codes, cause", [
    ("Card decline", (402,), "card-decline"), ("Stolen card", (402,), "stolen-card"), ("Gateway timeout", (504,), "gateway-timeout")])
def test_each_failure_mode(lab, open_view, title, codes, cause):
    """A switch turned on hits the next payment, and the payment's life says so."""
    page = open_view("failures").page
    row = page.get_by_role("group", name=title)
    row.get_by_label("Probability").press("End")
    if title == "Gateway timeout":
        row.get_by_label("Silence").press("Home")
        row.get_by_label("Phase").select_option("before-charge")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "enabled=true" in answer.url):
        row.get_by_role("switch").check()
    version = lab.get("/api/service-settings")["failure_modes"]
    assert version[cause.replace("-", "_") + "_enabled"] is True
    payment = None

    # The replicas hear of it within a second.
    def declined():
        nonlocal payment
        payment = lab.pay(codes=(200, *codes))
        return payment.get("status") != "success"

    wait_until(declined, 20, f"a payment that fails by {cause}")
    assert payment["status"] in codes
    page.get_by_text(f"{title.lower()} 100").first.wait_for()
    page.get_by_role("link", name="Payments", exact=True).click()
    page.get_by_role("link", name=payment["payment_id"]).click()
    story = page.get_by_role("article", name=payment["payment_id"])
    story.get_by_text(f"caused by {cause}").first.wait_for()

    page.get_by_role("link", name="Payment failures").click()
    page.get_by_role("button", name="Reset all").click()
    page.get_by_text("All off").wait_for()
    assert lab.get("/api/payment-scenarios")["scenarios"][cause.replace("-", "_") + "_enabled"] is False


def test_halt_and_rearm(lab, open_view):
    lab.run("duplicate-packets", baseline="60s")
    page = open_view("system").page
    page.locator("#activity").get_by_text("duplicate-packets").wait_for()
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog", name="Halt everything?")
    dialog.get_by_role("button", name="Cancel").click()
    assert not dialog.is_visible() and lab.get("/api/halt")["halted"] is False, "asked first"
    page.keyboard.press("h")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Halted").wait_for()
    assert page.locator("#halted").is_visible() and lab.get("/api/halt")["halted"] is True
    other = open_view("runs").page
    other.locator("#halted").wait_for()
    until(page, "document.querySelector('#activity').children.length === 0")

    page.get_by_role("link", name="Scenarios").click()
    open_view.expected.append("423")
    card(page, "slow-network").get_by_role("button", name="Run").click()
    message = page.locator(".message")
    assert "Could not start slow-network" in message.inner_text() and "Re-arm" in message.inner_text()
    message.get_by_role("button", name="Dismiss").click()
    page.get_by_role("button", name="Re-arm").click()
    page.locator("#halted").wait_for(state="hidden")
    assert lab.get("/api/halt")["halted"] is False
    until(page, "document.activeElement.id === 'halt'")

    # Again, with the mouse, from the other tab.
    other.locator("#halted").wait_for(state="hidden")
    other.get_by_role("button", name="Halt everything").click()
    other.get_by_role("dialog").get_by_role("button", name="Halt everything").click()
    page.locator("#halted").wait_for()
    assert lab.get("/api/halt")["halted"] is True


def test_one_glance_says_what_is_broken(lab, open_view):
    """Every kind of fault where it acts: a clock for delay, a cut for a partition, a replica under stress or held down."""
    page = open_view("system").page
    page.get_by_role("heading", name="All is well").wait_for()
    for experiment, seen, words in [
        ("slow-network", ".edge[data-from=payment][data-to=inventory][data-fault=delay]", "payment → inventory: packets delayed"),
        ("partition-payment-notification", ".edge[data-to=notification][data-fault=partition]", "payment ↔ notification: cut off"),
        ("cpu-stress-100-percent", ".replica[data-state=stressed]", "CPU under stress"),
        ("pod-failure-inventory", "[data-tier=inventory] .replica[data-state=down]", "held down"),
    ]:
        run = lab.run(experiment, baseline="1s", duration="60s")
        page.locator(seen).first.wait_for(state="attached")
        page.locator(".view-system .hint").first.get_by_text(words).wait_for()
        page.get_by_role("heading", name="A fault acts").wait_for()
        page.locator(".edge-label").filter(has_text="/s").first.wait_for(state="attached")
        lab.post(f"/api/runs/{run}/stop")
        page.locator(seen).first.wait_for(state="detached")
        lab.wait_for_end(run)
    lab.post("/api/payment-scenarios/card-decline?enabled=true&probability=30")
    row = page.locator("[data-tier=gateway] .replica")
    row.wait_for()
    assert "card decline" in row.text_content() and "30" in row.text_content()
    assert page.get_by_role("heading", name="Payments fail on purpose").is_visible()


def test_resilience(lab, open_view):
    one, other = open_view("resilience").page, open_view("resilience").page
    one.get_by_role("radio", name="Hardened").check()
    until(other, "document.querySelectorAll('.pattern input:checked').length === 7")
    other.get_by_role("switch", name="Hedging").uncheck()
    until(one, "document.querySelectorAll('.pattern input:checked').length === 6")
    assert lab.get("/api/resilience")["patterns"]["hedging"] is False
    one.get_by_role("switch", name="Limit it").check()
    other.get_by_text("Each replica does at most 25 calls a second").wait_for()
    one.get_by_role("switch", name="Limit it").uncheck()
    other.get_by_text("No limit but the machine's").wait_for()


def test_load_of_a_profile(lab, open_view):
    page = open_view("load").page
    page.get_by_label("Profile").select_option("checkout")
    page.get_by_label("Requests a second").fill("10")
    page.get_by_label("Seconds").first.fill("60")
    page.get_by_role("button", name="Start").click()
    generator = page.get_by_role("region", name="Load generator")
    generator.get_by_text("checkout runs").wait_for()
    # Of this load: the page may still show the numbers of one before it.
    wait_until(lambda: lab.get("/api/load").get("progress", {}).get("requests", 0) > 0, 20, "requests of this load")
    until(page, "/[1-9]/.test(document.querySelector('.numbers dd').textContent)")
    with page.expect_response(lambda answer: answer.url.endswith("/api/load/stop")):
        page.locator("#activity").get_by_role("button", name="Stop checkout").click()
    table = generator.get_by_role("table", name="By kind of request")
    table.wait_for()
    assert table.locator("tbody tr").count() == len(lab.get("/api/load")["summary"]["by_request"])
    assert generator.get_by_role("button", name="Start").is_visible()

    page.get_by_label("Model").select_option("closed")
    page.get_by_label("Users", exact=True).first.fill("2")
    page.get_by_label("Seconds").first.fill("1")
    page.get_by_role("button", name="Start").click()
    wait_until(lambda: lab.get("/api/load").get("summary", {}).get("model") == "closed", 20, "the end of the second load")


def test_locust_or_why_not(lab, open_view):
    page = open_view("load").page
    locust = page.get_by_role("region", name="Locust")
    known = lab.get("/api/locust")
    if not known["available"]:
        locust.get_by_text(known["obstacle"]).wait_for()
        assert not locust.get_by_role("button", name="Run Locust").is_visible()
        return
    locust.get_by_label("File").select_option("shopper.py")
    locust.get_by_label("Users", exact=True).fill("2")
    locust.get_by_label("Seconds").fill("3")
    locust.get_by_role("button", name="Run Locust").click()
    locust.get_by_role("button", name="Stop").wait_for()
    locust.get_by_role("table", name="Locust's results").get_by_role("row", name="All").wait_for()
    with page.expect_download() as download:
        locust.get_by_role("link", name="Download Locust's own report").click()
    assert download.value.suggested_filename.startswith("shopper.py-")


def test_a_run_in_the_page(lab, open_view):
    """Its report, its numbers, its files; and what is said of one that is not there."""
    run = lab.ended_runs(1)[0]
    page = open_view(f"runs/{run}").page
    page.frame_locator("iframe").get_by_role("heading").first.wait_for()
    for name, ending in [("Journal", "json"), ("HTML", "html"), ("JUnit", "xml")]:
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        assert download.value.suggested_filename == f"{run}.{ending}"
    open_view.expected.append("404")
    page.evaluate("location.hash = '#/runs/RUN-NOT-THERE'")
    page.get_by_role("alert").get_by_text("does not know this run").wait_for()
    page.evaluate("location.hash = '#/payments/PAY-NOT-THERE'")
    page.get_by_role("alert").get_by_text("There is no payment PAY-NOT-THERE").wait_for()


@pytest.mark.parametrize("currency, amount", [("HUF", "1500.50"), ("IQD", "7.250"), ("JPY", "500")])
def test_money_as_the_books_have_it(lab, open_view, currency, amount):
    """In the list, in the payment's life and in the gateway's books, whatever decimals the browser knows of."""
    payment = lab.pay(codes=(200,), amount=amount, currency=currency)["payment_id"]
    page = open_view(f"payments/{payment}").page
    words = f"{amount}\u202f{currency}"
    listed = page.locator(".payment-list li").filter(has_text=payment)
    listed.wait_for()
    story = page.get_by_role("article", name=payment)
    story.get_by_text(f"approved, {words}, ").wait_for()
    assert listed.locator(".amount").text_content() == story.locator(".story-amount").text_content() == words


def test_two_tabs_agree(lab, open_view):
    one, other = open_view("failures").page, open_view("failures").page
    one.get_by_role("switch", name="Card decline").check()
    other.locator(".failure[data-on]").get_by_text("Card decline").wait_for()
    lab.post("/api/payment-scenarios/stolen-card?enabled=true&probability=33")
    for page in (one, other):
        page.get_by_text("stolen card 33").wait_for()
    other.get_by_role("button", name="Reset all").click()
    one.get_by_text("All off").wait_for()
    assert not one.get_by_role("switch", name="Card decline").is_checked()


def test_a_changed_file_shows_by_itself(lab, open_view):
    watched = open_view("scenarios")
    page = watched.page
    card(page, "packet-loss-80-percent").wait_for()
    # Nobody asks for what has not changed.
    page.wait_for_timeout(5000)
    assert watched.requests.count(f"{lab.url}/api/experiments") == 1
    file = lab.folder / "experiments" / "99-new.yaml"
    text = (lab.folder / "experiments" / "02-packet-loss-80-percent.yaml").read_text().split("\n---")[0]
    try:
        file.write_text(text.replace("packet-loss-80-percent", "made-by-the-test"))
        card(page, "made-by-the-test").wait_for()
    finally:
        file.unlink()
    card(page, "made-by-the-test").wait_for(state="detached")


def test_a_broken_file_is_named(lab, open_view):
    page = open_view("scenarios").page
    file = lab.folder / "experiments" / "98-broken.yaml"
    text = (lab.folder / "experiments" / "02-packet-loss-80-percent.yaml").read_text().split("\n---")[0]
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.strip() == "action: loss")
    problems = page.get_by_role("region", name="Problems in the files")
    assert not problems.is_visible()
    try:
        file.write_text(text.replace("packet-loss-80-percent", "made-by-the-test").replace("action: loss", "action: lose"))
        problems.get_by_text(f"98-broken.yaml:{line}").wait_for()
        assert "spec.action" in problems.inner_text()
        assert card(page, "made-by-the-test").count() == 0 and page.locator(".card").count() > 10
    finally:
        file.unlink()
    problems.wait_for(state="hidden")


def test_keyboard_only(lab, open_view):
    lab.needs("slow-network")
    page = open_view("system").page
    press = page.keyboard.press
    press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(20):
        press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == "#/scenarios":
            break
    press("Enter")
    page.get_by_role("heading", name="Scenarios").wait_for()
    press("/")
    page.keyboard.type("slow-network")
    page.get_by_text("1 of ").wait_for()
    plan = card(page, "slow-network").get_by_role("button", name="Plan")
    for _ in range(15):
        press("Tab")
        if plan.evaluate("button => button === document.activeElement"):
            break
    press("Enter")
    dialog = page.get_by_role("dialog", name="slow-network")
    dialog.get_by_role("heading", name="Where").wait_for()
    press("Escape")
    assert not dialog.is_visible() and plan.evaluate("button => button === document.activeElement")
    press("Tab")
    press("Enter")
    stop = card(page, "slow-network").get_by_role("button", name="Stop")
    stop.wait_for()
    wait_until(lambda: stop.evaluate("button => button === document.activeElement"), 10, "the focus to go from Run to Stop")
    press("Enter")
    run = lab.get("/api/runs")["runs"][0]["id"]
    lab.wait_for_end(run)
    assert lab.get(f"/api/runs/{run}")["verdict"] == "aborted"


def test_a_bare_percent_in_the_address(lab, open_view):
    open_view.expected.append("404")
    page = open_view("payments/50%").page
    page.get_by_role("alert").get_by_text("There is no payment 50%").wait_for()


def test_server_restarted_under_an_open_page(lab, open_view):
    """Stands last: the lab has another life afterwards."""
    page = open_view("system").page
    open_view.expected.append("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|Failed to load")
    lab.stop()
    page.get_by_text("Connection lost").wait_for()
    lab.start()
    until(page, "document.querySelector('#connection').dataset.state === 'live'")
    page.get_by_role("heading", name="All is well").wait_for()
    page.get_by_role("link", name="Payment failures").click()
    page.get_by_role("switch", name="Card decline").check()
    page.get_by_text("In force on every payment replica: card decline").wait_for()
