"""The page: both languages side by side, aligned, in one self-contained HTML file."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from html import unescape
from itertools import pairwise
from pathlib import Path

from markupsafe import Markup

from analysis.schema import Results
from report.base.environment import filled, partial, read
from report.base.labels import Labels
from report.base.placeholders import stand_in
from report.base.tree import Element, has_class, serialised
from report.blocks import formulas
from report.blocks.numbers import LANGS, Lang
from report.documents.document import Document

CODES: dict[Lang, str] = {"zh": "zh-Hans", "en": "en"}
#: Content-Security-Policy: the page loads nothing and runs only its own scripts.
POLICY = (
    "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
_MATH = re.compile("<math.*?</math>", re.DOTALL)
_MATH_FONT = Markup(
    f"@font-face {{ font-family: Formulas; src: url(data:font/woff;base64,{stand_in('math')}) }}\n"
)


def style(folder: Path, *names: str) -> Markup:
    """The text of style sheets, joined.

    Raises:
        ReportError: a style sheet cannot be read.
    """
    return Markup("".join(read(folder / "style" / name) for name in names))


def allowed(script: str) -> str:
    """The source expression of a script for a Content-Security-Policy."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def render(folder: Path, documents: Sequence[Document], records: Results) -> str:
    """The page as HTML, of the documents in Chinese and English."""
    zh, en = documents
    labels = {lang: Labels(lang) for lang in LANGS}
    early, script = read(folder / "page-early.js"), read(folder / "page.js")
    tips = {lang: labels[lang].beginning("tip_", "explorer_") for lang in LANGS}
    html = filled(
        "page.html",
        folder,
        zh=zh,
        en=en,
        codes=CODES,
        label=labels,
        parts=_aligned(zh, en),
        layers=records.layers,
        policy=f"{POLICY}; script-src {allowed(early)} {allowed(script)}",
        style=_MATH_FONT + style(folder, "screen.css", "custom.css"),
        early=Markup(early),
        script=Markup(script),
        tips=_json(tips),
        sources=Markup(stand_in("sources")),
        misread=_json(_misread(records)),
        cite={each.lang: _cite_this(each, records, labels[each.lang]) for each in documents},
    )
    page, sources = _interned(html)
    font = base64.b64encode(formulas.web_font(_MATH.findall(page))).decode()
    page = page.replace(stand_in("sources"), _json(sources)).replace(stand_in("math"), font)
    return zh.drawn(en.drawn(page))


def _cite_this(document: Document, records: Results, labels: Labels) -> Markup:
    """How to cite the report: BibTeX and CSL-JSON."""
    front, code = document.front, CODES[document.lang]
    key = f"cnn-{records.setting.name}-{document.lang}"
    item: dict[str, object] = {"id": key, "type": "report", "title": front.title, "language": code}
    if front.author:
        item["author"] = [{"literal": front.author}]
    if front.stamp:
        item["issued"] = {"date-parts": [[int(part) for part in front.stamp.split("-")]]}
    return partial(
        "cite-this",
        front=front,
        key=key,
        note=f"{front.course}, {records.setting.name}",
        language=code,
        csl=json.dumps([item], ensure_ascii=False, indent=1),
        label=labels,
    )


def _misread(records: Results) -> object:
    """Every network's mistakes, for the script; None without any."""
    if not records.misread.networks:
        return None
    image = base64.b64encode(records.misread_images()).decode()
    found = records.misread.model_dump(mode="json")
    return found | {"classes": records.dataset.classes, "image": image}


def _json(item: object) -> Markup:
    return Markup(
        json.dumps(item, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    )


_SOURCES = re.compile(' data-source="([^"]*)"')


def _interned(html: str) -> tuple[str, list[str]]:
    """Replace the sources of numbers, which many share, by indices; returns the list of sources."""
    found: dict[str, int] = {}

    def index(attribute: re.Match[str]) -> str:
        return f' data-source="{found.setdefault(unescape(attribute[1]), len(found))}"'

    return _SOURCES.sub(index, html), list(found)


def _aligned(zh: Document, en: Document) -> dict[str, list[dict[Lang, Markup]]]:
    """The parts of both languages in aligned rows; those that cannot be split equally stay whole.

    Some parts may be in one language only.
    """
    chinese, english = ({part.name: part.root for part in each.parts} for each in (zh, en))
    names = dict.fromkeys(
        part.name for part in sorted((*zh.parts, *en.parts), key=lambda part: part.order)
    )
    rows: dict[str, list[dict[Lang, Markup]]] = {}
    for name in names:
        ours, theirs = list(chinese.get(name, ())), list(english.get(name, ()))
        pairs = _even(ours, theirs, _begins_piece)
        levels = [cells for pair in pairs for cells in _even(*pair, _stands_apart)]
        rows[name] = [{"zh": serialised(one), "en": serialised(other)} for one, other in levels]
    return rows


def _even(
    ours: list[Element], theirs: list[Element], begins: Callable[[Element], bool]
) -> list[tuple[list[Element], list[Element]]]:
    """Split both languages' elements before those that begin a piece, if both as often."""
    pieces: list[list[list[Element]]] = []
    for elements in (ours, theirs):
        cuts = [index for index, each in enumerate(elements) if index and begins(each)]
        ends = pairwise([0, *cuts, len(elements)])
        pieces.append([elements[start:stop] for start, stop in ends if start < stop])
    one, other = pieces
    return list(zip(one, other, strict=True)) if len(one) == len(other) else [(ours, theirs)]


def _begins_piece(element: Element) -> bool:
    """Whether an element is the heading of a subsection, or a run card."""
    return (element.tag == "h3" and "id" in element.attrib) or has_class(element, "card")


def _stands_apart(element: Element) -> bool:
    """Whether an element is a figure or a finding, or follows a block."""
    before = element.getprevious()
    after_block = before is not None and before.tag in ("figure", "div")
    own = element.tag == "figure" and "id" in element.attrib
    return after_block or own or has_class(element, "finding")
