"""The PDFs of the report, tagged for PDF/UA-1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from report import printing
from report.document import Document, Entry, plain
from report.labels import Labels
from report.page import CODES, fill, style

#: A line of the contents holds about so many letters.
_LINE = 38


def render(folder: Path, document: Document) -> str:
    """The HTML that the PDF of a language is made from."""
    html = fill(
        folder,
        "print.html",
        document=document,
        code=CODES[document.lang],
        columns=_columns(document.contents),
        label=Labels(document.lang),
        style=style(folder, "print.css", "custom.css"),
    )
    # On paper a number leads home by its link; its element would only cost time.
    return re.sub(r"</?data\b[^>]*>", "", html)


def _columns(contents: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """The contents in two columns alike in height; to balance them itself takes the library long.

    No section ends the first one whose subsections would begin the second.
    """
    lines = list(accumulate(1 + (len(plain(entry.text)) > _LINE) for entry in contents))
    cut = sum(2 * line <= max(lines) for line in lines)
    if cut and contents[cut - 1].level < contents[cut].level:
        cut -= 1
    return contents[:cut], contents[cut:]


def write(folder: Path, document: Document) -> bytes:
    """The PDF of a language. The same document gives the same bytes.

    Raises:
        ReportError: the PDF library cannot be loaded.
    """
    html = render(folder, document)
    return printing.pdf(html, document.assets, pdf_variant="pdf/ua-1", pdf_tags=True)
