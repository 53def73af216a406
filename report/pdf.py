"""The PDFs of the report, tagged for PDF/UA-1."""

from __future__ import annotations

import re
from pathlib import Path

from report import printing
from report.document import Document
from report.labels import Labels
from report.page import CODES, chapters, fill, style


def render(folder: Path, document: Document) -> str:
    """The HTML that the PDF of a language is made from."""
    html = fill(
        folder,
        "print.html",
        document=document,
        code=CODES[document.lang],
        chapters=chapters(document.contents),
        label=Labels(document.lang),
        style=style(folder, "print.css", "custom.css"),
    )
    # On paper a number leads home by its link; its element would only cost time.
    return re.sub(r"</?data\b[^>]*>", "", html)


def write(folder: Path, document: Document) -> bytes:
    """The PDF of a language. The same document gives the same bytes.

    Raises:
        ReportError: the PDF library cannot be loaded.
    """
    html = render(folder, document)
    return printing.pdf(html, document.assets, pdf_variant="pdf/ua-1", pdf_tags=True)
