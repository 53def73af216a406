"""The preview: the page again within moments, errors on it, and nobody else served."""

import http.client
import threading
import time

import pymupdf
import pytest

from report import build, watch
from report.base.errors import Place, ReportError
from report.watch import Preview, described, server
from tests.report_kit import material, templates


@pytest.fixture
def preview(tmp_path, monkeypatch):
    made = templates(tmp_path, a='# T\n\n{{ finding("se-best") }}\n', b="# U\n\nold\n")
    monkeypatch.setattr(build, "TEMPLATES", made)
    monkeypatch.setattr(watch.schema, "load", lambda folder: material())
    return Preview(tmp_path)


@pytest.fixture
def port(preview):
    made = server(preview, 0)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_port
    made.shutdown()
    made.server_close()


def get(port, path, host="localhost", read=bytes.decode):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, read(answer.read())


def test_it_serves_the_page_to_this_machine(preview, port):
    preview.build()
    for host in ("localhost", "localhost:9000", "127.0.0.1:80", "[::1]:8000"):
        for path in ("/", "/?vscodeBrowserReqId=1"):
            status, body = get(port, path, host)
            assert status == 200 and "old" in body and "/changed?1" in body


def test_it_serves_no_files_and_nobody_by_a_foreign_name(port):
    for host in ("evil.example", "evil.example:8000", "", "localhost.evil", "["):
        for path in ("/", "/changed?0", "/report.en.pdf"):
            assert get(port, path, host)[0] == 403
    for path in ("/../pyproject.toml", "/%2e%2e/pyproject.toml", "//etc/passwd", "/x"):
        assert get(port, path)[0] == 404


def test_the_pdf_is_made_when_it_is_asked_for(preview, port, tmp_path):
    file = tmp_path / "templates/sections/20-b.en.md"
    file.write_text("# U\n\nprinted\n", encoding="utf-8")
    status, body = get(port, "/report.en.pdf", read=bytes)
    assert status == 200
    with pymupdf.open(stream=body) as document:
        assert "printed" in "".join(page.get_text() for page in document)
    file.write_text("# U\n\n{{ nothing }}\n", encoding="utf-8")
    status, body = get(port, "/report.en.pdf")
    assert status == 500 and "20-b.en.md:3: 'nothing' is undefined" in body


def test_a_taken_port_is_one_line(preview, port):
    assert server(preview, 0).server_address[0] == "127.0.0.1"
    with pytest.raises(ReportError, match=f"port {port} cannot be used"):
        server(preview, port)


def test_prose_is_shown_again_within_moments_and_errors_on_the_last_good_page(
    preview, port, tmp_path
):
    preview.build()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(get(port, "/changed?1")))
    waiting.start()
    file = tmp_path / "templates/sections/20-b.en.md"
    file.write_text("# U\n\nnew\n", encoding="utf-8")
    assert not answers
    started = time.process_time()
    preview.build()
    assert time.process_time() - started < 1.5
    waiting.join(10)
    assert answers == [(200, "")]  # the page loads itself again
    assert "new" in get(port, "/")[1] and "old" in get(port, "/")[1]  # one language was saved
    file.write_text("# U\n\n{{ nothing<b> }}\n", encoding="utf-8")
    preview.build()
    body = get(port, "/")[1]
    assert "new" in body and 'role="alert"' in body
    assert "20-b.en.md:3:" in body and "{{ nothing&lt;b&gt; }}" in body
    file.write_text("# U\n\nmended\n", encoding="utf-8")
    preview.build()
    assert "mended" in get(port, "/")[1] and 'role="alert"' not in get(port, "/")[1]


@pytest.mark.browser
def test_a_browser_shows_the_new_page_and_the_error(preview, port, tmp_path, browser):
    """The page's own policy admits the script that loads it again."""
    from playwright.sync_api import expect

    file = tmp_path / "templates/sections/20-b.en.md"
    preview.build()
    tab = browser.new_page()
    tab.goto(f"http://localhost:{port}/", wait_until="commit")
    expect(tab.locator("#en-sec-b ~ p")).to_have_text("old")
    file.write_text("# U\n\nnew\n", encoding="utf-8")
    preview.build()
    expect(tab.locator("#en-sec-b ~ p")).to_have_text("new")
    file.write_text("# U\n\n{{ nothing }}\n", encoding="utf-8")
    preview.build()
    expect(tab.locator("[role=alert]")).to_contain_text("'nothing' is undefined")
    tab.close()


def test_without_a_good_page_the_error_is_the_page(preview, port, tmp_path):
    (tmp_path / "templates/sections/20-b.en.md").write_text("{% if %}")
    preview.build()
    assert "20-b.en.md:1: Expected an expression" in get(port, "/")[1]


def test_an_error_shows_the_line_and_a_caret(tmp_path):
    file = tmp_path / "a.md"
    file.write_text("# T\n\n甲 {{ n(x) }}\n", encoding="utf-8")
    text = described(ReportError("'x' is undefined", Place(file, 3).at("x")))
    assert f"{file}:3: 'x' is undefined" in text
    source, caret = text.splitlines()[-2:]
    assert source.index("x") == caret.replace("\u3000", " ").index("^")
