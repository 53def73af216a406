"""The preview server: nothing but its page, to nobody but this machine, whatever is asked."""

import contextlib
import http.client
import socket
import threading
import time
from html import escape

import pytest

from report import page, watch
from report.watch import State, server
from tests.test_html_browser import ARGUMENTS, CHROMIUM

SECRET = "the page itself"
TRAVERSALS = [
    "/../pyproject.toml",
    "/../../../../etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%252e%252e/etc/passwd",
    "/..%252f..%252fetc%252fpasswd",
    "/..\\..\\etc\\passwd",
    "/..%5c..%5cetc%5cpasswd",
    "/%00",
    "/..%00/etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "///etc/passwd",
    "/./etc/passwd",
    "/.../etc/passwd",
    "/%c0%ae%c0%ae/etc/passwd",
    "/．．/etc/passwd",
    "/templates/",
    "/templates/report.toml",
    "/report.html",
    "/static/..;/etc/passwd",
    "/~root/",
    "/proc/self/environ",
    "/index.html",
    "/events/../../etc/passwd",
    "/?file=/etc/passwd",
    "/events?",
    "file:///etc/passwd",
    "http://evil.example/",
    "http://evil.example:80/etc/passwd",
    "*",
    "",
]


@pytest.fixture
def port():
    state = State()
    state.show(f"<html><body>{SECRET}</body></html>")
    made = server(state, 0)
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made.server_port
    made.shutdown()
    made.server_close()


def ask(port, request, timeout=5.0):
    """The whole answer to some bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        client.sendall(request if isinstance(request, bytes) else request.encode())
        answer = b""
        with contextlib.suppress(OSError):
            while block := client.recv(65536):
                answer += block
    return answer.decode(errors="replace")


def get(port, path="/", host=None, method="GET"):
    host = f"Host: 127.0.0.1:{port}\r\n" if host is None else host
    return ask(port, f"{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n")


def status(answer):
    return int(answer.split()[1]) if answer.startswith("HTTP/") else 0


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_to_a_file(port, path):
    answer = get(port, path)
    # without a path it is a request of HTTP 0.9, whose answers have no status
    assert status(answer) in (400, 404) or "Error code: 404" in answer
    assert SECRET not in answer and "root:" not in answer and "href" not in answer


def test_what_lies_about_is_not_served(port, tmp_path, monkeypatch):
    (tmp_path / "x.html").write_text("private")
    (tmp_path / "link").symlink_to("/etc/passwd")
    monkeypatch.chdir(tmp_path)
    for path in ("/x.html", "/link", "/."):
        assert status(get(port, path)) == 404


@pytest.mark.parametrize(
    "host",
    [
        "",
        "Host: evil.example\r\n",
        "Host: evil.example:PORT\r\n",
        "Host: localhost\r\n",
        "Host: 127.0.0.1\r\n",
        "Host: localhost:1\r\n",
        "Host: localhost:PORT.evil.example\r\n",
        "Host: localhost:PORT@evil.example\r\n",
        "Host: evil.example#localhost:PORT\r\n",
        "Host: 127.0.0.1.nip.io:PORT\r\n",
        "Host: 127.0.0.2:PORT\r\n",
        "Host: 2130706433:PORT\r\n",
        "Host: [::1]:PORT\r\n",
        "Host: localhost.:PORT\r\n",
        "Host:\r\n",
        "Host: evil.example\r\nHost: localhost:PORT\r\n",
        "X-Forwarded-Host: localhost:PORT\r\nHost: evil.example\r\n",
        "Host : localhost:PORT\r\n",
        "Host: evil.example\r\n localhost:PORT\r\n",
    ],
)
@pytest.mark.parametrize("path", ["/", "/events"])
def test_another_name_for_this_machine_is_refused(port, host, path):
    answer = get(port, path, host.replace("PORT", str(port)))
    assert status(answer) in (400, 403)
    assert SECRET not in answer


@pytest.mark.parametrize(
    "method",
    ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND", "get",
     "GET\0", "\x16\x03", "__init__", "do_GET", "send_error"],
)  # fmt: skip
def test_it_does_nothing_but_get(port, method):
    answer = get(port, method=method)
    assert status(answer) in (0, 400, 501)
    assert SECRET not in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1.1\r\n\r\n",
        b"GET / HTTP/" + b"9" * 1000 + b"\r\n\r\n",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        bytes(range(256)) * 40,
    ],
)
def test_what_is_no_request_is_none(port, request_, capfd):
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    with client, contextlib.suppress(OSError):
        client.sendall(request_)
        client.shutdown(socket.SHUT_WR)
        assert SECRET.encode() not in client.recv(65536)
    assert status(get(port)) == 200
    assert "Traceback" not in capfd.readouterr().err


def test_slow_clients_hold_nobody_up_and_are_let_go(port, monkeypatch):
    monkeypatch.setattr(watch._Handler, "timeout", 1.0)
    slow = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(150)]
    for number, client in enumerate(slow):
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A"[: number % 30])
    started = time.monotonic()
    assert SECRET in get(port)
    assert time.monotonic() - started < 2
    deadline = time.monotonic() + 10
    for client in slow:
        client.settimeout(max(0.1, deadline - time.monotonic()))
        with contextlib.suppress(ConnectionResetError):
            assert SECRET.encode() not in client.recv(65536)  # closed, or told off
        client.close()
    assert SECRET in get(port)


def test_a_client_that_goes_away_leaves_no_traceback(port, capfd):
    for path in ("/", "/events"):
        for _ in range(10):
            client = socket.create_connection(("127.0.0.1", port), timeout=5)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
            client.close()  # with a reset
    time.sleep(0.3)
    assert SECRET in get(port)
    assert capfd.readouterr().err == ""


def test_no_page_elsewhere_may_read_it(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/", headers={"Origin": "http://evil.example"})
    answer = connection.getresponse()
    assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-")]


def test_it_listens_on_one_address(port):
    for address in ("127.0.0.2", "::1"):
        with pytest.raises(OSError):
            socket.create_connection((address, port), timeout=1)


@pytest.mark.browser
def test_the_pages_policy_admits_its_reloading_and_no_more():
    from playwright.sync_api import expect, sync_playwright

    def shown(text):
        script = "window.own = 1"
        policy = escape(f"{page.POLICY}; script-src {page.allowed(script)}")
        return (
            f'<html><meta http-equiv="Content-Security-Policy" content="{policy}">'
            f"<body><p>{text}</p><script>{script}</script>"
            "<script>window.owned = 1</script><img src='/x' onerror='window.owned = 2'></body>"
        )

    state = State()
    state.show(shown("one"))
    made = server(state, 0)
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = browser.new_page()
        tab.goto(f"http://localhost:{made.server_port}/", wait_until="commit")
        expect(tab.locator("p")).to_have_text("one")
        state.fail(watch.Fault("<b>file:3</b>: wrong"))
        expect(tab.locator("[role=alert]")).to_have_text("<b>file:3</b>: wrong")
        state.show(shown("two"))
        expect(tab.locator("p")).to_have_text("two")
        assert tab.evaluate("[window.own, window.owned]") == [1, None]
        browser.close()
    made.shutdown()
    made.server_close()
