"""What the runner does for its pages: files that are small on their way, and are sent once."""


def test_files_come_compressed_and_only_once(lab, open_view):
    answers = []
    page = open_view("system").page
    for file in ["/app.css", "/js/store.js"]:
        assert page.evaluate(
            "file => fetch(file, { cache: 'no-store' }).then((answer) => answer.headers.get('Content-Encoding'))", file) == "gzip"
    page.on("response", lambda answer: answers.append(answer) if answer.url.endswith((".js", ".css")) else None)
    page.reload()
    page.wait_for_selector("main h1")
    assert len(answers) > 10 and all(answer.header_value("etag") for answer in answers)
    assert sum(answer.request.sizes()["responseBodySize"] for answer in answers) < 10_000, "the browser has them already"
