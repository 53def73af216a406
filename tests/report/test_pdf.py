"""The PDFs: fonts, glyphs, margins, tags, language, outline; and that nothing is fetched."""

import itertools
import re
import shutil

import pymupdf
import pypdf
import pytest

from analysis import schema
from report.base import tree
from report.base.errors import TEMPLATES
from report.base.labels import Labels
from report.blocks import pictures
from report.documents import document, pdf
from report.documents.document import Document
from report.pdf_engine import printing
from report.templating.engine import finish
from tests.checkout import edit
from tests.report_kit import SVG, built

pytestmark = pytest.mark.pipeline

MM = 72 / 25.4
SIDE, TOP, BOTTOM = 23 * MM, 10 * MM, 6 * MM


@pytest.fixture(scope="module", params=["zh", "en"])
def lang(request):
    return request.param


@pytest.fixture(scope="module")
def path(lang):
    return built() / f"report.{lang}.pdf"


@pytest.fixture(scope="module")
def pages(path):
    with pymupdf.open(path) as document:
        yield list(document)


TITLE = {"zh": "卷积神经网络在 MNIST 上的实验", "en": "Convolutional networks on MNIST"}


def test_it_is_tagged_with_language_title_and_the_records_dates(path, lang):
    document = pypdf.PdfReader(path)
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]
    assert root["/Lang"] == {"zh": "zh-Hans", "en": "en"}[lang]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert document.metadata.title == TITLE[lang]
    assert document.metadata.creation_date.year == 2026
    assert b"pdfuaid:part" in path.read_bytes() or "pdfuaid" in str(root["/Metadata"].get_data())


def test_figures_have_text_alternatives(path):
    document = pypdf.PdfReader(path)
    figures = []

    def walk(node):
        node = node.get_object()
        if node.get("/S") == "/Figure":
            figures.append(node)
        kids = node.get("/K", [])
        for kid in kids if isinstance(kids, list) else [kids]:
            if not isinstance(kid, int) and isinstance(kid.get_object(), dict):
                walk(kid)

    walk(document.trailer["/Root"]["/StructTreeRoot"])
    assert len(figures) > 14
    assert all(figure.get("/Alt") for figure in figures)


def test_all_fonts_are_embedded(path):
    with pymupdf.open(path) as document:
        fonts = {font for page in document for font in document.get_page_fonts(page.number)}
    assert fonts
    for xref, extension, _, name, *_ in fonts:
        assert xref and extension not in ("n/a", ""), name
        assert re.match(r"[A-Z]{6}\+", name), f"{name} is not a subset"


def test_every_glyph_is_there_and_within_the_margins(pages):
    for page in pages:
        place = f"page {page.number + 1}"
        box = pymupdf.Rect(SIDE - 1, TOP, page.rect.x1 - SIDE + 1, page.rect.y1 - BOTTOM)
        for span in page.get_texttrace():
            for code, glyph, (x, y), _ in span["chars"]:
                if not chr(code).isspace():
                    assert glyph != 0, f"{place}: {chr(code)!r}"
                    assert box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1, (place, span)
        assert "\ufffd" not in page.get_text()
        for drawing in page.get_drawings():
            rect = drawing["rect"] & page.rect
            if rect.width > 0.1:
                assert rect.x0 >= box.x0 - 2 and rect.x1 <= box.x1 + 2, (place, rect)


def lines_of(page):
    return [line for block in page.get_text("dict")["blocks"] for line in block.get("lines", [])]


def test_no_line_begins_with_closing_punctuation(pages, lang):
    for block in (block for page in pages for block in page.get_text("dict")["blocks"]):
        for line in block.get("lines", [])[1:]:
            text = "".join(span["text"] for span in line["spans"]).strip()
            starts_line = lang == "zh" and line["bbox"][0] <= block["bbox"][0] + 1
            assert not (starts_line and text[:1] in "，。、；：！？）】」』》”’"), text


def test_paragraphs_are_flush_on_the_right(pages, lang):
    """Lines that another line of their paragraph follows end at the margin."""
    ends = []
    low, high = {"zh": (9.9, 10.1), "en": (9.7, 9.9)}[lang]
    for page in pages[1:]:
        right: dict[float, float] = {}  # of each line, by its height
        for span in (span for line in lines_of(page) for span in line["spans"]):
            if low < span["size"] < high:
                height = round(span["origin"][1], 1)
                right[height] = max(right.get(height, 0), span["bbox"][2])
        heights = sorted(right)
        ends += [
            right[one] - (page.rect.x1 - SIDE)
            for one, other in itertools.pairwise(heights)
            if other - one < 21
        ]
    assert len(ends) > 150
    # a mark may hang by half its width; some lines end in a formula or in code
    assert sum(-1 < end < 6 for end in ends) / len(ends) > 0.8


def test_pages_are_full(pages):
    """Figures float: no blank on a page, but for the last, is higher than an eighth of its text."""
    for page in pages[1:-1]:  # nor the title page
        area = page.rect + pymupdf.Rect(SIDE - 6, 18 * MM, 6 - SIDE, -16 * MM)
        shown = page.get_pixmap(dpi=36, colorspace=pymupdf.csGRAY, clip=area)
        rows = [shown.samples[y * shown.width :][: shown.width] for y in range(shown.height)]
        runs = itertools.groupby(rows, lambda row: min(row) > 235)
        blank = max(len(list(run)) for white, run in runs if white)
        assert blank <= len(rows) / 8, f"page {page.number + 1}: {blank / len(rows):.0%} blank"


def test_a_heading_has_text_below_it(pages, path):
    """Not the figures that were left over from the page before."""
    with pymupdf.open(path) as document:
        outline = [(title, at["page"], at["to"].y) for _, title, _, at in document.get_toc(False)]
    for title, number, height in outline:
        spans = (span for line in lines_of(pages[number]) for span in line["spans"])
        below = {round(span["size"], 1) for span in spans if span["origin"][1] > height + 30}
        assert below & {9.8, 10.0, 8.0}, (title, number + 1)  # of prose in either language, works


def test_it_has_an_outline_and_page_numbers(path):
    with pymupdf.open(path) as document:
        outline = document.get_toc()
        assert len(outline) > 15 and {level for level, *_ in outline} >= {1, 2}
        contents = (document[0], document[1])
        listed = {word[4] for page in contents for word in page.get_text("words")}
        linked = {link.get("page") for page in contents for link in page.get_links()}
        for title, number in (entry for level, *entry in outline if level == 1):
            assert str(number) in listed and number - 1 in linked, title
        assert document[2].get_text().split()[-1] == "3" or "\n3\n" in document[2].get_text()


def test_references_lead_within_the_pdf(path):
    with pymupdf.open(path) as document:
        links = [link for page in document for link in page.get_links()]
    outer = [link for link in links if link["kind"] == pymupdf.LINK_URI]
    assert len(links) - len(outer) > 100
    assert all(link["uri"].startswith("http") for link in outer)


def test_the_short_report_has_ten_pages_at_most(tmp_path, lang):
    folder = shutil.copytree(TEMPLATES, tmp_path / "templates")
    edit(folder / "report.toml", '# preset = "short"', 'preset = "short"')
    found = schema.load(built().parent / "results")
    made = pdf.write(folder, document.compose(folder, found, lang, pdf=True))
    with pymupdf.open(stream=made) as short:
        assert 7 <= len(short) <= 10
    page = document.compose(folder, found, lang, pdf=False)  # Word's too
    names = [part.name for part in page.parts]
    assert "results" in names and "operators" not in names and "claims" not in names


def test_nothing_is_fetched(monkeypatch, tmp_path):
    secret = tmp_path / "secret.svg"
    secret.write_text(SVG)

    def drawn(address):
        html = f'<html lang="en"><title>t</title><img alt="a" src="{address}"></html>'
        monkeypatch.setattr(pdf, "render", lambda *_: html)
        made = pdf.write(TEMPLATES, Document("en", None, (), {}))
        with pymupdf.open(stream=made) as document:
            return bool(document[0].get_drawings())

    assert drawn(pictures.embedded(SVG))
    assert not drawn(secret.as_uri())


def test_mistakes_in_a_style_sheet_are_named(tmp_path):
    path = tmp_path / "custom.css"
    path.write_text(
        "p { colr: red }\n\n@page { size: letter }\nb { color: }\n}} x", encoding="utf-8"
    )
    assert printing.faults(path) == [
        f"{path}:1: Ignored `colr: red `, unknown property.",
        f"{path}:4: Ignored `color: `, no value.",
        f"{path}:5: Parse error: EOF reached before {{}} block for a qualified rule.",
    ]


def test_a_table_of_many_columns_fits_the_page():
    head = "".join(f"<th>Measurement {number}</th>" for number in range(13))
    cells = "".join(f"<td>{number}.123456</td>" for number in range(13))
    root = tree.parsed(f"<table><tr>{head}</tr><tr>{cells}</tr></table>")
    finish(root, Labels("en"))
    style = (TEMPLATES / "style" / "print.css").read_text(encoding="utf-8")
    html = f"<style>{style}</style><body class=en>{tree.inner(root)}</body>"
    with pymupdf.open(stream=printing.pdf(html)) as document:
        page = document[0]
        words, right = page.get_text("words"), page.rect.x1 - SIDE
    assert sum("123456" in word[4] for word in words) == 13
    assert all(word[0] >= SIDE - 1 and word[2] <= right + 1 for word in words)
