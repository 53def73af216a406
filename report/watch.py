"""``make watch``: serves the page on localhost and rebuilds it when templates or results change.

PDFs are built on request.
"""

import re
import sys
import threading
from contextlib import suppress
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import watchfiles

from analysis import schema
from models import UsageError
from report import build
from report.base.errors import TEMPLATES, Faults, ReportError
from report.blocks.numbers import LANGS, Lang
from report.documents import html_page

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
#: Waits for the next version, then reloads the page; retries while the server is down.
_CLIENT = """
"use strict";
(async () => {
  for (;;) {
    try {
      await fetch("/changed?VERSION");
      location.reload();
      return;
    } catch { await new Promise((done) => setTimeout(done, 1000)); }
  }
})();
"""
_ERROR = (
    '<pre role="alert" style="position:fixed;inset:auto 0 0 0;z-index:99;margin:0;padding:1rem;'
    'background:#7a1f10;color:#fff;white-space:pre-wrap;overflow:auto;max-height:50vh">{}</pre>'
)
_PDFS: dict[str, Lang] = {f"/report.{lang}.pdf": lang for lang in LANGS}
_HTML = "text/html; charset=utf-8"
_EMPTY = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Report</title><body></body>'


def described(error: Exception) -> str:
    """The error and, below it, the line of the template with a caret at the place."""
    if isinstance(error, Faults):
        return "\n\n".join(map(described, error.each))
    text = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
    place = error.place if isinstance(error, ReportError) else None
    if place and (source := place.source_line()):
        text += f"\n\n{place.line:>5} | {source}"
        if place.column:
            # Keep tabs and the width of Chinese characters, so that the caret is aligned.
            before = re.sub("[\u2e80-\U0010ffff]", "\u3000", source[: place.column - 1])
            before = re.sub("[^\t\u3000]", " ", before)
            text += f"\n      | {before}^"
    return text


class Preview:
    """The last good page and the current error; shared by the builder and the server."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._changed, self._printing = threading.Condition(), threading.Lock()
        self._html, self._error = _EMPTY, ""
        self.version = 0

    def build(self) -> None:
        """Build the page; on failure the last good one stays, with the error on it."""
        html, error = self._html, ""
        try:
            html = build.html(schema.load(self._source))
        except Exception as fault:  # also from half-saved files: wait for the next change
            error = described(fault)
            print(f"error: {error}", file=sys.stderr)
        with self._changed:
            self._html, self._error = html, error
            self.version += 1
            self._changed.notify_all()

    def page(self) -> str:
        """The page with the script that reloads it."""
        with self._changed:
            html, error, version = self._html, self._error, self.version
        client = _CLIENT.replace("VERSION", str(version))
        alert = _ERROR.format(escape(error)) if error else ""
        # Extend the page's policy by this script and its request.
        admitted = escape(f"connect-src 'self'; script-src {html_page.allowed(client)}")
        head, end, tail = html.replace("script-src", admitted, 1).rpartition("</body>")
        return f"{head}{alert}<script>{client}</script>{end}{tail}"

    def pdf(self, lang: Lang) -> bytes:
        """Build the PDF of a language; requests are handled one at a time."""
        with self._printing:
            return build.pdf(self._source, lang)

    def wait(self, version: str) -> None:
        """Return when the version differs from ``version``."""
        with self._changed:
            self._changed.wait_for(lambda: str(self.version) != version)


class _Handler(BaseHTTPRequestHandler):
    """Serves the page, a notification of changes, and the PDFs; no files."""

    preview: Preview

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if not _LOOPBACK.fullmatch(self.headers.get("Host", "")):  # DNS rebinding
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        if path == "/":
            self._answer(self.preview.page().encode(), _HTML)
        elif path == "/changed":
            self.preview.wait(query)
            self._answer(b"", _HTML)
        elif path in _PDFS:
            try:
                self._answer(self.preview.pdf(_PDFS[path]), "application/pdf")
            except Exception as fault:
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                self._answer(described(fault).encode(), "text/plain; charset=utf-8", status)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _answer(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        with suppress(ConnectionError):  # the browser has gone
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the terminal shows only errors."""


def server(preview: Preview, port: int) -> ThreadingHTTPServer:
    """The server, bound to the loopback interface; port 0 takes any free one.

    Raises:
        ReportError: the port is taken.
    """
    handler = type("Handler", (_Handler,), {"preview": preview})
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        advice = "choose another: make watch PORT="
        raise ReportError(f"port {port} cannot be used ({error}); {advice}") from None


def watch(source: Path, port: int) -> int:
    """Serve the page and rebuild it on every change, until interrupted."""
    preview = Preview(source)
    made = server(preview, port)
    schema.load(source)  # one line if there are no results yet
    threading.Thread(target=made.serve_forever, daemon=True).start()
    pdfs = " and ".join(_PDFS)
    print(f"http://localhost:{made.server_port}, PDFs: {pdfs} (Ctrl-C ends it)", flush=True)
    # The first time-out comes when the watch is active: build then, to miss no change.
    for changes in watchfiles.watch(TEMPLATES, source, rust_timeout=100, yield_on_timeout=True):
        if changes or not preview.version:
            preview.build()
    return 0
