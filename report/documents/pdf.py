"""The PDFs of the report, tagged for PDF/UA-1."""

import sys
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from lxml import etree
from lxml.builder import E

from report.base import tree
from report.base.environment import filled
from report.base.errors import ReportError
from report.base.labels import Labels
from report.blocks import formulas, pictures
from report.documents.document import Document, Entry
from report.documents.html_page import CODES, style
from report.pdf_engine import glyphs, printing

#: Approximate number of letters in a line of the contents.
_LINE = 38


def render(folder: Path, document: Document) -> str:
    """The HTML for the PDF of a language; formulas become drawings.

    Raises:
        ReportError: a formula cannot be drawn.
    """
    labels = Labels(document.lang)
    for part in document.parts:
        _for_paper(part.root, labels)
    body = tree.parsed(document.front.body)
    _for_paper(body, labels)
    return filled(
        "print.html",
        folder,
        document=document,
        front_body=tree.inner(body),
        code=CODES[document.lang],
        columns=_columns([part.contents[0] for part in document.parts]),
        label=labels,
        style=style(folder, "print.css", "custom.css"),
    )


def _for_paper(root: tree.Element, labels: Labels) -> None:
    """Replace formulas by drawings, and linked numbers by text: the PDF has no run cards."""
    for link in root.xpath('.//a[@class="n" or @class="run"]'):
        link.tag = "data"
    for interval in root.xpath('.//*[@class="n ci"]'):
        interval.tag = "span"
        interval.attrib.pop("href", None)
    etree.strip_tags(root, "data")
    for math in list(root.iter("math")):
        try:
            svg, css = formulas.drawing(math)
        except formulas.FormulaError as error:
            raise ReportError(str(error)) from None
        source, alt = pictures.embedded(svg), formulas.spoken(math, labels)
        tree.replace(math, [E.img({"class": "formula"}, src=source, alt=alt, style=css)])


def _columns(contents: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """The contents in two columns of similar height; WeasyPrint balances columns slowly."""
    lines = list(accumulate(1 + (len(entry.text.striptags()) > _LINE) for entry in contents))
    cut = sum(2 * line <= max(lines) for line in lines)
    return contents[:cut], contents[cut:]


def write(folder: Path, document: Document) -> bytes:
    """The PDF of a language. The same document gives the same bytes.

    Raises:
        ReportError: the PDF library cannot be loaded.
    """
    html = render(folder, document)
    shown = "".join(tree.text(part.root) for part in document.parts)
    if unknown := glyphs.missing(shown):
        print(f"warning: {glyphs.warning(unknown, folder)}", file=sys.stderr)
    return printing.pdf(html)
