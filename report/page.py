"""The page: both languages, aligned piece by piece, in one self-contained file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from jinja2 import TemplateSyntaxError
from markupsafe import Markup

from analysis.schema import Results
from report.document import Document, Entry
from report.errors import Place, ReportError, place_of
from report.labels import Labels
from report.numbers import LANGS, Lang
from report.sandbox import Sandbox, bounded, read
from report.slots import escape

CODES: dict[Lang, str] = {"zh": "zh-Hans", "en": "en"}
#: The page loads nothing and runs nothing but its own scripts, whatever else got into it.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)[^>]*>")
_APART = re.compile(r'<(?:figure id=|div class="finding)')
_TIPS = ("tip_record", "tip_derived", "tip_card", "tip_more")


@dataclass(frozen=True)
class Chapter:
    """A section of the table of contents with its subsections."""

    head: Entry
    rest: tuple[Entry, ...]


def chapters(entries: Sequence[Entry]) -> list[Chapter]:
    """The table of contents by section."""
    found: list[Chapter] = []
    for entry in entries:
        if entry.level == 1:
            found.append(Chapter(entry, ()))
        elif found:
            last = found.pop()
            found.append(Chapter(last.head, (*last.rest, entry)))
    return found


def fill(folder: Path, name: str, **content: object) -> str:
    """One of the page's own templates; in it ``|html`` marks what this package has made.

    Raises:
        ReportError: the template is at fault.
    """
    environment = Sandbox(folder)
    environment.filters["html"] = Markup
    place = Place(folder / name, 1)
    try:
        with bounded(place):
            template = environment.get_template(name)
            return "".join(template.root_render_func(template.new_context(content)))
    except ReportError:
        raise
    except TemplateSyntaxError as error:
        raise ReportError(
            error.message or "syntax error", Place(folder / name, error.lineno)
        ) from None
    except Exception as error:
        # whatever a template can raise is its own fault
        where = place_of(error.__traceback__) or place
        raise ReportError(f"{type(error).__name__}: {error}", where) from None


def style(folder: Path, *names: str) -> Markup:
    """Style sheets as the text of one ``<style>``.

    Raises:
        ReportError: one cannot be read, or would end the element.
    """
    texts = []
    for name in names:
        text = read(folder, f"style/{name}")
        if "</style" in text.lower():
            raise ReportError("ends the page's style (</style)", Place(folder / "style" / name, 1))
        texts.append(text)
    return Markup("".join(texts))


def allowed(script: str) -> str:
    """A script as a Content-Security-Policy admits it."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def render(folder: Path, documents: Mapping[Lang, Document], records: Results) -> str:
    """The page as HTML.

    Args:
        folder: of the templates.
        documents: both languages.
        records: for the layer tables, which belong to no language.
    """
    zh, en = documents["zh"], documents["en"]
    labels = {lang: Labels(lang) for lang in LANGS}
    early, script = read(folder, "page-early.js"), read(folder, "page.js")
    tips = {lang: {key: labels[lang](key) for key in _TIPS} for lang in LANGS}
    contents = {lang: chapters(documents[lang].contents) for lang in LANGS}
    layers = records.layers
    if layers:
        for lang in LANGS:
            entry = Entry(1, f"{lang}-sec-layers", "", escape(labels[lang]("layer_tables")))
            contents[lang].append(Chapter(entry, ()))
    return fill(
        folder,
        "page.html",
        zh=zh,
        en=en,
        codes=CODES,
        label=labels,
        chapters=contents,
        parts=_aligned(zh, en),
        layers=layers,
        policy=f"{POLICY}; script-src {allowed(early)} {allowed(script)}",
        style=style(folder, "screen.css", "custom.css"),
        early=Markup(early),
        script=Markup(script),
        tips=json.dumps(tips, ensure_ascii=False).replace("<", "\\u003c"),
    )


@dataclass(frozen=True)
class _Rows:
    """A part with its pieces in pairs; a language that has no such piece is left out."""

    name: str
    rows: tuple[tuple[tuple[Lang, str], ...], ...]


def _aligned(zh: Document, en: Document) -> list[_Rows]:
    """The two languages' parts side by side; uneven ones stay whole."""
    english = {part.name: part for part in en.parts}
    rows = []
    for part in zh.parts:
        pieces, others = part.pieces, english[part.name].pieces
        if len(pieces) != len(others):
            pieces, others = ("".join(pieces),), ("".join(others),)
        pairs: list[tuple[tuple[Lang, str], tuple[Lang, str]]] = [
            (("zh", left), ("en", right)) for left, right in zip(pieces, others, strict=True)
        ]
        rows.append(_Rows(part.name, tuple(row for pair in pairs for row in _level(pair))))
    return rows


def _level(
    pair: tuple[tuple[Lang, str], tuple[Lang, str]],
) -> Iterator[tuple[tuple[Lang, str], tuple[Lang, str]]]:
    """A subsection in both languages, cut at its figures, tables and findings.

    Where the two do not have the same number of them it stays whole.
    """
    (left, zh), (right, en) = pair
    zh_blocks, en_blocks = _blocks(zh), _blocks(en)
    if len(zh_blocks) != len(en_blocks):
        yield pair
        return
    for one, other in zip(zh_blocks, en_blocks, strict=True):
        yield (left, one), (right, other)


def _blocks(html: str) -> list[str]:
    """The HTML cut in front of and behind every figure, table and finding at its top level."""
    cuts, depth = [0], 0
    for tag in _TAG.finditer(html):
        if tag[1]:
            depth -= 1
            if depth == 0 and tag[2] in ("figure", "div"):
                cuts.append(tag.end())
        elif not tag[0].endswith("/>"):
            if depth == 0 and _APART.match(tag[0]):
                cuts.append(tag.start())
            depth += 1
    pieces = [html[start:end] for start, end in pairwise([*cuts, len(html)])]
    return [piece for piece in pieces if piece.strip()]
