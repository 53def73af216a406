"""``make watch``: the page on localhost, anew whenever a template, style or record is saved."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Collection
from dataclasses import asdict, dataclass
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import watchfiles

from models import UsageError
from report import document, material, page
from report.document import Document
from report.errors import ROOT, TEMPLATES, ReportError
from report.inputs import Snapshot
from report.material import Material
from report.numbers import LANGS, Lang
from report.sections import discover

_LOOPBACK = "127.0.0.1"
_NAMES = (_LOOPBACK, "localhost")
#: Seconds that a client has for its request, and for taking what it is given.
_PATIENCE = 10.0
#: Seconds between two signs of life on an open connection.
_HEARTBEAT = 15.0

_CLIENT = """
"use strict";
(() => {
  let version = "VERSION";
  const box = document.createElement("pre");
  box.setAttribute("role", "alert");
  box.style.cssText = "position:fixed;inset:auto 0 0 0;z-index:99;margin:0;padding:1rem 1.5rem;" +
    "background:#7a1f10;color:#fff;font:14px/1.5 monospace;white-space:pre-wrap;max-height:50vh;" +
    "overflow:auto;border:0";
  new EventSource("/events").onmessage = (event) => {
    const state = JSON.parse(event.data);
    if (state.error) {
      box.textContent = state.error.text;
      document.body.append(box);
    } else {
      box.remove();
      if (state.version !== version) location.reload();
    }
  };
})();
"""


@dataclass(frozen=True)
class Fault:
    """What is wrong, as the page shows it: place, message, the line, and a caret below it."""

    text: str


def fault(error: UsageError) -> Fault:
    """The fault of an error, with the line of the template that it names."""
    lines = [str(error)]
    place = error.place if isinstance(error, ReportError) else None
    source = place.source_line() if place else ""
    if place and source:
        lines += ["", f"{place.line:>5} | {source}"]
        if place.column:
            # a tab or a Chinese character is as wide in the line above as in this one
            before = "".join(
                c if c == "\t" else "\u3000" if c > "\u2e7f" else " "
                for c in source[: place.column - 1]
            )
            lines.append(f"      | {before}^")
    return Fault("\n".join(lines))


class State:
    """The last good page and what is wrong now; shared by the builder and the server."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._html = ""
        self._version = ""
        self._fault: Fault | None = None
        self._count = 0

    def show(self, html: str) -> None:
        """A new good page."""
        version = hashlib.sha256(html.encode()).hexdigest()[:16]
        with self._changed:
            self._html, self._version, self._fault = html, version, None
            self._announce()

    def fail(self, found: Fault) -> None:
        """The page stays; the fault is shown on it."""
        with self._changed:
            self._fault = found
            self._announce()

    def _announce(self) -> None:
        self._count += 1
        self._changed.notify_all()

    def page(self) -> str:
        """The last good page that reloads itself, or one that shows what is wrong."""
        with self._changed:
            html = self._html
            if not html:
                text = escape(self._fault.text) if self._fault else "building the report"
                html = (
                    f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Report</title>'
                    f"<body><pre>{text}</pre></body></html>"
                )
            client = _CLIENT.replace("VERSION", self._version)
        # the page's own policy admits neither this script nor its questions
        admitted = f"connect-src 'self'; script-src {page.allowed(client)}"
        html = html.replace("script-src", escape(admitted), 1)
        head, end, tail = html.rpartition("</body>")
        return f"{head}<script>{client}</script>{end}{tail}"

    def wait(self, seen: int) -> tuple[int, str]:
        """The state after change number ``seen``, or after a while: its number, and it as JSON."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > seen, timeout=_HEARTBEAT)
            now = {"version": self._version, "error": asdict(self._fault) if self._fault else None}
            return self._count, json.dumps(now)


class _Handler(BaseHTTPRequestHandler):
    """Serves two paths and no files: the page, and the stream of its changes."""

    state: State
    names: frozenset[str]
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Answer a request."""
        if self.headers.get("Host", "") not in self.names:  # a foreign page that resolves to us
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self._send(self.state.page().encode())
        elif self.path == "/events":
            self._stream()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send(self, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        seen = -1
        try:
            while True:
                seen, text = self.state.wait(seen)
                self.wfile.write(f"data: {text}\n\n".encode())
                self.wfile.flush()
        except OSError:
            return  # the browser has gone

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal shows what was built."""


class _Server(ThreadingHTTPServer):
    """A thread a connection, so that none waits for another."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that has gone; of an error of our own, as usual."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def server(state: State, port: int) -> ThreadingHTTPServer:
    """The server, bound to the loopback interface; port 0 takes any free one.

    Raises:
        ReportError: the port is taken.
    """

    class Handler(_Handler):
        pass

    Handler.state = state
    try:
        made = _Server((_LOOPBACK, port), Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReportError(
            f"port {port} cannot be used ({reason}); choose another: --port"
        ) from None
    Handler.names = frozenset(f"{name}:{made.server_port}" for name in _NAMES)
    return made


class Builder:
    """Makes the page, anew only what a change concerns."""

    def __init__(self, results: Path, state: State) -> None:
        self._results = results
        self._state = state
        self._material: Material | None = None
        self._documents: dict[Lang, Document] = {}

    def build(self, changed: Collection[Path] = ()) -> None:
        """Build and show the page, or what is wrong.

        Args:
            changed: the files that were saved; empty at first.
        """
        try:
            if self._material is None or not all(map(_is_prose, changed)):
                self._material = None
                self._documents = {}
                self._material = material.load(Snapshot.take(self._results))
            for lang in LANGS:
                if not changed or any(_concerns(path, lang) for path in changed):
                    self._documents.pop(lang, None)
            sections = discover(TEMPLATES)
            for lang in LANGS:
                if lang not in self._documents:
                    self._documents[lang] = document.compose(
                        TEMPLATES, self._material, sections, lang, pdf=False
                    )
            self._state.show(page.render(TEMPLATES, self._documents, self._material.records))
        except UsageError as error:
            self._state.fail(fault(error))
            print(f"error: {error}", file=sys.stderr)
        except Exception as error:
            # half-saved code or records: say so, and wait for the next save
            self._state.fail(Fault(f"{type(error).__name__}: {error}"))
            print(f"error: {type(error).__name__}: {error}", file=sys.stderr)


def _is_prose(path: Path) -> bool:
    return path.is_relative_to(TEMPLATES)


def _concerns(path: Path, lang: Lang) -> bool:
    other = ".en." if lang == "zh" else ".zh."
    return other not in path.name


def watch(results: Path, port: int) -> int:
    """Serve the page and rebuild it on every change, until interrupted."""
    state = State()
    made = server(state, port)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    print(f"http://localhost:{made.server_port}  (Ctrl-C ends it)", flush=True)
    builder = Builder(results, state)
    results.mkdir(parents=True, exist_ok=True)
    code = [ROOT / name for name in ("analysis", "experiments", "models", "report")]
    changes = watchfiles.watch(
        TEMPLATES,
        results,
        *code,
        watch_filter=_Sources(results),
        debounce=200,
        step=25,
        rust_timeout=200,
        yield_on_timeout=True,
    )
    try:
        next(changes)  # from here on no change is missed
        builder.build()
        for found in changes:
            paths = {Path(path) for _, path in found}
            if any(path.suffix in (".py", ".toml") and not _is_prose(path) for path in paths):
                # a running process cannot exchange its code and what that has read: start over
                made.server_close()
                os.execv(sys.executable, [sys.executable, "-m", "report", *sys.argv[1:]])
            if paths:
                builder.build(paths)
    except KeyboardInterrupt:
        pass
    return 0


class _Sources(watchfiles.DefaultFilter):
    """Templates, the records of one folder, code and its settings; no half-written files."""

    def __init__(self, results: Path) -> None:
        super().__init__()
        self._results = results.resolve()

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        """Whether a change of this file concerns the report."""
        file = Path(path)
        if file.name.startswith(".") or not super().__call__(change, path):
            return False
        if file.suffix == ".json" and "results" in file.parts:
            return file.parent == self._results
        if file.is_relative_to(TEMPLATES):
            return file.suffix in (".md", ".toml", ".bib", ".css", ".js", ".html")
        return file.suffix in (".py", ".toml", ".json") and "out" not in file.parts
