"""The watcher: the page anew within moments, faults on it, and nobody else served."""

import http.client
import json
import threading
import time

import pytest

from report import watch
from report.errors import Place, ReportError
from report.watch import Builder, State, fault, server
from tests import factory
from tests.report_kit import material, templates


@pytest.fixture
def state():
    return State()


@pytest.fixture
def port(state):
    made = server(state, 0)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_port
    made.shutdown()
    made.server_close()


def get(port, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def event(response):
    line = response.readline()
    response.readline()
    return json.loads(line.removeprefix(b"data: "))


def test_it_serves_the_page_to_this_machine_only(state, port):
    state.show("<html><body>good</body></html>")
    for host in (f"localhost:{port}", f"127.0.0.1:{port}"):
        status, body = get(port, "/", host)
        assert status == 200 and "good" in body and "EventSource" in body
    for host in ("evil.example", f"evil.example:{port}", "localhost", ""):
        assert get(port, "/", host or "x")[0] == 403


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/pyproject.toml", "//etc/passwd", "/x"]
)
def test_it_serves_no_files(state, port, path):
    assert get(port, path)[0] == 404


def test_it_is_bound_to_loopback(state):
    made = server(state, 0)
    assert made.server_address[0] == "127.0.0.1"
    made.server_close()


def test_a_taken_port_is_one_line(state, port):
    with pytest.raises(ReportError, match=f"port {port} cannot be used"):
        server(state, port)


def test_changes_and_faults_are_announced_and_the_good_page_stays(state, port):
    state.show("<html><body>one</body></html>")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/events", headers={"Host": f"localhost:{port}"})
    response = connection.getresponse()
    first = event(response)
    assert first["error"] is None
    state.fail(watch.Fault("file:3: wrong\n\n    3 | <b>\n      |  ^"))
    second = event(response)
    assert second["version"] == first["version"] and "file:3" in second["error"]["text"]
    assert "one" in get(port, "/")[1]
    state.show("<html><body>two</body></html>")
    third = event(response)
    assert third["error"] is None and third["version"] != first["version"]
    assert "two" in get(port, "/")[1]


def test_without_a_good_page_the_fault_is_the_page(state, port):
    state.fail(watch.Fault("<script>file:3: wrong</script>"))
    assert "&lt;script&gt;file:3: wrong" in get(port, "/")[1]


def test_a_fault_shows_the_line_and_a_caret(tmp_path):
    file = tmp_path / "a.md"
    file.write_text("# T\n\n甲 {{ n(x) }}\n", encoding="utf-8")
    text = fault(ReportError("'x' is undefined", Place(file, 3).at("x"))).text
    assert f"{file}:3: 'x' is undefined" in text
    source, caret = text.splitlines()[-2:]
    assert source.index("x") == caret.replace("\u3000", " ").index("^")


def test_prose_is_shown_anew_within_moments(tmp_path, monkeypatch, state):
    made = templates(tmp_path, a='# T\n\n{{ finding("se-best") }}\n', b="# U\n\nold\n")
    monkeypatch.setattr(watch, "TEMPLATES", made)
    monkeypatch.setattr(watch.material, "load", lambda folder: material(factory.make()))
    builder = Builder(tmp_path, state)
    builder.build()
    assert "old" in state.page()
    file = made / "sections/20-b.en.md"
    file.write_text("# U\n\nnew\n", encoding="utf-8")
    started = time.perf_counter()
    builder.build([file])
    assert time.perf_counter() - started < 1.5
    assert "new" in state.page() and "old" in state.page()  # the Chinese file was not saved
    file.write_text("# U\n\n{{ nothing }}\n", encoding="utf-8")
    builder.build([file])
    assert "new" in state.page()
    assert "20-b.en.md:3: 'nothing' is undefined" in json.loads(state.wait(-1)[1])["error"]["text"]
