"""HTML to PDF by WeasyPrint, without network or file access."""

import logging
import re
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any

from experiments.support.text import one_line
from report.base.environment import read
from report.base.errors import Place
from report.pdf_engine import cjk_layout


def faults(path: Path) -> list[str]:
    """WeasyPrint's warnings about a style sheet, one line each."""
    cjk_layout.prepare()
    import weasyprint

    logger, handler = logging.getLogger("weasyprint"), BufferingHandler(1_000_000)
    logger.addHandler(handler)
    weasyprint.CSS(string=read(path))
    logger.removeHandler(handler)
    said = (record.getMessage() for record in handler.buffer)
    placed = (re.fullmatch(r"(.*) at (\d+):\d+([,:] .*)", line, re.DOTALL) for line in said)
    return [f"{Place(path, int(m[2]))}: {one_line(m[1] + m[3])}" for m in placed if m]


def pdf(html: str) -> bytes:
    """The PDF of a page, tagged for PDF/UA-1. The same page gives the same bytes.

    Its pictures are ``data:`` addresses; nothing else is loaded.

    Raises:
        ReportError: the PDF library cannot be loaded.
    """
    ragged = cjk_layout.prepare()
    import weasyprint
    from weasyprint.urls import URLFetcher

    source = weasyprint.HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=("data",)))
    sheet = weasyprint.CSS(string=ragged)
    made = source.write_pdf(
        stylesheets=[sheet], finisher=_scope_heads, pdf_variant="pdf/ua-1", pdf_tags=True
    )
    return bytes(made or b"")


def _scope_heads(_: object, pdf: Any) -> None:
    """Set the scope of each table head (PDF/UA): column or row."""

    def parent(element: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = pdf.objects[int(element["P"].split()[0])]
        return found

    for element in pdf.objects:
        if isinstance(element, dict) and element.get("S") == "/TH":
            section = parent(parent(element))["S"]
            element["A"]["Scope"] = "/Column" if section == "/THead" else "/Row"
