"""Read a ``.bib`` file: entries of BibTeX and BibLaTeX become items of CSL-JSON.

bibtexparser finds the entries, pylatexenc decodes their TeX. An entry that cannot be read is
reported as a fault; the others are read. Texts of an item may contain the markup of ``MARKUP``.
"""

import html
import logging
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from bibtexparser.middlewares.names import (
    InvalidNameError,
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import (
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    Entry,
    ParsingFailedBlock,
    String,
)
from bibtexparser.splitter import Splitter
from pylatexenc import latex2text, latexwalker
from pylatexenc.macrospec import std_macro

from report.base.environment import read as read_text
from report.base.errors import Place, ReportError

for _noisy in ("bibtexparser", "pylatexenc"):
    logging.getLogger(_noisy).setLevel(logging.CRITICAL)  # `Library.faults` reports problems

Item = dict[str, Any]

#: Private-use characters for HTML tags in the texts of an item: (opening, closing).
MARKUP: dict[str, tuple[str, str]] = {
    "i": ("\ue100", "\ue101"),
    "b": ("\ue102", "\ue103"),
    "sup": ("\ue104", "\ue105"),
    "sub": ("\ue106", "\ue107"),
}
#: The name for "and others".
OTHERS = "\ue1f0"
_RESERVED = dict.fromkeys(range(0xE100, 0xE200))

_HAS_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_DATE = re.compile(r"(?<!\d)(\d{4})(?:[-/.](\d{1,2})(?!\d))?(?:[-/.](\d{1,2})(?!\d))?(?!\d)")
_RESOLVER = re.compile(r"(?:https?://)?(?:dx\.)?doi\.org/(.+)|doi:\s*(.+)", re.IGNORECASE)
_NUMBER = r"([a-z-]+(?:\.[a-z]{2})?/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?"
_ARXIV = re.compile(rf"(?:arxiv[.:]\s*|arxiv\.org/(?:abs|pdf)/|^abs/){_NUMBER}", re.I)

_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
#: CSL's types by those of BibTeX and BibLaTeX.
_TYPES = {name: kind for kind, names in _TABLES["types"].items() for name in names.split()}


@dataclass(frozen=True)
class Record:
    """An entry of the file: type and names of fields in lower case, values unchanged."""

    place: Place
    kind: str
    fields: Mapping[str, str]


@dataclass(eq=False)
class Library:
    """The entries of a file by key; ``faults`` are errors with their lines."""

    records: dict[str, Record] = field(default_factory=dict)
    faults: list[ReportError] = field(default_factory=list)
    broken: dict[str, ReportError] = field(default_factory=dict)


def read(path: Path) -> Library:
    """Read all entries of a ``.bib``.

    Raises:
        ReportError: the file is not UTF-8.
    """
    library = Library()
    strings = {month: month for month in _MONTHS}
    for block in Splitter(read_text(path)).split().blocks:
        place = Place(path, (block.start_line or 0) + 1)
        if isinstance(block, String):
            strings[block.key.lower()] = _value(block.value, strings) or ""
        elif isinstance(block, Entry):
            _add(library, place, block, strings)
        elif isinstance(block, DuplicateFieldKeyBlock):
            entry = cast(Entry, block.ignore_error_block)
            twice = ", ".join(sorted(block.duplicate_keys))
            message = f"entry {entry.key!r} has {twice} twice; the first counts"
            library.faults.append(ReportError(message, place))
            _add(library, place, entry, strings)
        elif isinstance(block, DuplicateBlockKeyBlock):
            message = f"the key {block.key!r} is there twice; the first entry counts"
            library.faults.append(ReportError(message, place))
        elif isinstance(block, ParsingFailedBlock):
            found = re.match(r"\s*@\s*\w+\s*[{(]\s*([^\s,{}()=]*)", block.raw or "")
            message = "a brace, a quotation mark or a comma is missing"
            _refuse(library, place, found[1] if found else "", message)
    return library


def _add(library: Library, place: Place, entry: Entry, strings: Mapping[str, str]) -> None:
    """Add an entry, or a fault if it cannot be read."""
    values: dict[str, str] = {}
    for raw in entry.fields:
        value = _value(str(raw.value), strings)
        if value is None:
            at = Place(place.file, (raw.start_line or place.line - 1) + 1)
            message = f"its field {raw.key!r} is not one value; is a comma or a brace missing?"
            return _refuse(library, at, entry.key, message)
        values.setdefault(raw.key.lower(), value)
    if not entry.key:
        return _refuse(library, place, "", "it has no key")
    if not _first(values, "title", "booktitle", "crossref", "xref"):
        return _refuse(library, place, entry.key, "it has no title")
    library.records[entry.key] = Record(place, entry.entry_type.lower(), values)


def _first(fields: Mapping[str, str], *names: str) -> str:
    """The first of several fields that is not empty; empty without any."""
    return next((fields[name] for name in names if fields.get(name)), "")


def _refuse(library: Library, place: Place, key: str, message: str) -> None:
    name = f"entry {key!r}" if key else "an entry"
    error = ReportError(f"{name} cannot be read: {message}", place)
    library.faults.append(error)
    if key:
        library.broken[key] = error


def _value(raw: str, strings: Mapping[str, str]) -> str | None:
    """A value without braces or quotes, joined at ``#``; None if it is not one value."""
    parts: list[str] = []
    rest = raw.strip()
    while rest:
        if rest[0] in '{"':
            end = _closing(rest)
            if end is None:
                return None
            parts.append(rest[1:end])
            rest = rest[end + 1 :]
        elif word := re.match(r'[^\s#{}",]+', rest):
            parts.append(strings.get(word[0].lower(), word[0]))
            rest = rest[word.end() :]
        else:
            return None
        rest = rest.lstrip()
        if rest and not rest.startswith("#"):
            return None
        rest = rest[1:].lstrip()
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def _closing(text: str) -> int | None:
    """The index of the brace or quotation mark that closes the one at the start."""
    depth = 0
    for match in re.finditer(r'\\.|[{}"]', text):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0 and (text[0] == "{" or (match[0] == '"' and match.start())):
            return match.start()
    return None


# --- TeX --------------------------------------------------------------------------------------


@cache
def _decoder() -> tuple[Any, latex2text.LatexNodes2Text]:
    """pylatexenc's context for parsing, and its converter to text."""
    tags = {
        "i": ("emph", "textit", "textsl", "mathit"),
        "b": ("textbf", "mathbf"),
        "sup": ("textsuperscript",),
        "sub": ("textsubscript",),
    }
    names = {name: "%s".join(MARKUP[tag]) for tag, known in tags.items() for name in known}
    plain = "url path nolinkurl texttt textsc textrm textup textmd mathrm text mbox ensuremath"
    names |= dict.fromkeys(plain.split(), "%s")
    words = {name: name for name in ("TeX", "LaTeX", "BibTeX", "LuaTeX", "XeTeX")}
    words |= {"textgreater": ">", "textless": "<", "textbar": "|"}
    words |= {"copyright": "©", "S": "§", "P": "¶", "pounds": "£"}
    names["enquote"] = "\N{LEFT DOUBLE QUOTATION MARK}%s\N{RIGHT DOUBLE QUOTATION MARK}"
    parsing = latexwalker.get_default_latex_context_db()
    parsing.add_context_category(
        "bib",
        macros=[*(std_macro(name, "{") for name in names), std_macro("href", "{{")],
        prepend=True,
    )
    spoken = latex2text.get_default_latex_context_db()
    spoken.add_context_category(
        "bib",
        macros=[
            latex2text.MacroTextSpec(name, simplify_repl=text)
            for name, text in (names | words | {"href": "%(2)s"}).items()
        ],
        prepend=True,
    )
    return parsing, latex2text.LatexNodes2Text(
        latex_context=spoken, math_mode="text", strict_latex_spaces=False
    )


def plain(raw: str) -> str:
    """Decode TeX, HTML entities and tags of a field to text with ``MARKUP``."""
    text = html.unescape(raw.translate(_RESERVED))
    if re.search(r"[\\{}$~%`'-]", text):
        parsing, spoken = _decoder()
        text = re.sub(r"(?<!\\)([%#&])", r"\\\1", text)
        text = re.sub(
            r"\$[^$]+\$|\\\(.*?\\\)|(?<!\\)\$",
            lambda math: r"\$" if math[0] == "$" else _scripts(math[0]),
            text,
        )
        walker = latexwalker.LatexWalker(text, latex_context=parsing, tolerant_parsing=True)
        text = spoken.nodelist_to_text(walker.get_latex_nodes()[0])
    for tag, marks in MARKUP.items():
        for name in (tag, {"i": "em", "b": "strong"}.get(tag, tag)):
            text = text.replace(f"<{name}>", marks[0]).replace(f"</{name}>", marks[1])
    # straight quotation marks
    text = text.replace("`", "\N{LEFT SINGLE QUOTATION MARK}")
    text = re.sub(r"(?<![\w.,)])'(?=\w)", "\N{LEFT SINGLE QUOTATION MARK}", text)
    text = text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    text = re.sub(r'"([^"]*)"', "\N{LEFT DOUBLE QUOTATION MARK}\\1\u201d", text)
    return re.sub(r"\s+", " ", text).strip()


def _scripts(math: str) -> str:
    """Turn super- and subscripts of a formula into text macros, hyphens into minus signs."""
    math = re.sub(r"-(?=\d)", "\N{MINUS SIGN}", math)
    for sign, macro in ((r"\^", "textsuperscript"), (r"(?<!\\)_", "textsubscript")):
        math = re.sub(rf"{sign}(\\[A-Za-z]+|[^\s{{}}$])", rf"\\{macro}{{\1}}", math)
        math = re.sub(rf"{sign}\{{", rf"\\{macro}{{", math)
    return math


def _verbatim(raw: str) -> str:
    r"""An address or identifier: TeX's escapes removed, nothing else decoded."""
    text = re.sub(r"\\url\s*\{([^{}]*)\}", r"\1", raw.translate(_RESERVED))
    text = re.sub(r"\\(?:text(?:asciitilde|tildelow)|~)(?:\{\})?|\{\$\\sim\$\}", "~", text)
    text = re.sub(r"\\textunderscore(?:\{\})?", "_", text)
    return re.sub(r"\\([_%&#$~{}])|[{}\s]", lambda found: found[1] or "", text)


# --- items ------------------------------------------------------------------------------------


def item(library: Library, record: Record) -> Item:
    """An entry as CSL-JSON, with ``language`` "zh" or "en" by the script of its names."""
    fields = _inherited(library, record)
    made: Item = {}
    for variable, names in _TABLES["texts"].items():
        if value := _first(fields, *names.split()):
            made[variable] = plain(value)
    if "edition" in made:
        made["edition"] = _edition(made["edition"])
    if "title" in made:
        made["title"] = re.sub(r"(?<!\.)\.$", "", made["title"])
    made["type"] = _TYPES.get(record.kind, "document")
    for variable in ("author", "editor", "translator"):
        if people := _names(fields.get(variable, "")):
            made[variable] = people
    if record.kind == "patent" and (holder := _first(fields, "holder", "assignee")):
        made.setdefault("author", _names(holder))
    if fields.get("subtitle") and "title" in made:
        made["title"] += f": {plain(fields['subtitle'])}"
    if pages := plain(_first(fields, "pages", "page")):
        made["page"] = re.sub(r"\s*[-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]+\s*", "-", pages)
    _dates(made, fields)
    _access(made, fields)
    _shape(made, fields, record)
    written = "".join("".join(name.values()) for name in made.get("author", ()))
    script = written.replace(OTHERS, "") or made.get("title", "")
    tagged = re.match("zh|chin", _first(fields, "langid", "language"), re.I)
    made["language"] = "zh" if tagged or _HAS_CJK.search(script) else "en"
    return made


def _inherited(library: Library, record: Record) -> dict[str, str]:
    """The fields of an entry and those inherited by ``crossref``."""
    fields = {name: value for name, value in record.fields.items() if value}
    name = _first(fields, "crossref", "xref").lower()
    parents = (found.fields for key, found in library.records.items() if key.lower() == name)
    parent = next(parents, {})
    own = ("title", "author", "crossref", "xref", "pages")
    handed_down = {name: value for name, value in parent.items() if name not in own}
    return {"booktitle": parent.get("title", "")} | handed_down | fields


def _names(raw: str) -> list[dict[str, str]]:
    made: list[dict[str, str]] = []
    bare = re.fullmatch(r"\{([^{}]+)\}", raw)  # several names in braces, as from Web of Science
    if bare and " and " in bare[1] and all("," in name for name in bare[1].split(" and ")):
        raw = bare[1]
    raw = re.sub(r"(?<!and),? et\.? al\.?$", " and others", raw)
    raw = re.sub(r"(^|\sand\s+)\\", r"\1{}\\", raw)  # the library drops a name's first command
    parts = raw.split(", ")
    if len(parts) > 2 and " and " not in raw and all(" " in part for part in parts):
        raw = " and ".join(parts)  # whole names with commas between
    for name in split_multiple_persons_names(raw):
        if re.fullmatch(r"others|\{?\\?e?t\.? al\.?\}?", name.strip(), re.IGNORECASE):
            made.append({"literal": OTHERS})
        elif _HAS_CJK.search(name):
            family, _, given = plain(name).partition(", ")
            whole = f"{given}·{family}" if "·" in given else family + given
            if not re.search("[A-Za-z]", whole):
                whole = whole.replace(" ", "")
            made.extend({"literal": part} for part in re.split("[;；、，]", whole) if part)
        elif person := _person(name):
            made.append(person)
    return made


def _person(name: str) -> dict[str, str]:
    """The parts of a name in Latin script; a name in braces is that of an organisation."""
    name = name.strip().strip(",")
    if re.fullmatch(r"\{(?:[^{}]|\{[^{}]*\})*\}", name) and not name.startswith("{\\"):
        return {"literal": plain(name)}
    if re.match(r"(?:family|given|prefix|suffix)=", name):  # BibLaTeX's extended form
        pairs = dict(part.strip().split("=", 1) for part in name.split(",") if "=" in part)
        texts = [pairs.get(part, "") for part in ("family", "given", "prefix", "suffix")]
    else:
        try:
            parts = parse_single_name_into_parts(name, strict=False)
        except InvalidNameError:
            return {"literal": plain(name)}
        texts = [" ".join(words) for words in (parts.last, parts.first, parts.von, parts.jr)]
    found = zip(("family", "given", "non-dropping-particle", "suffix"), texts, strict=True)
    decoded = {part: plain(text.strip('"')) for part, text in found if text}
    if not decoded.get("given") and not decoded.get("non-dropping-particle"):
        return {"literal": decoded["family"]} if "family" in decoded else {}
    return decoded


def _edition(text: str) -> str:
    """The number of an edition ("Second", "2nd ed.", "第2版"); other texts are unchanged."""
    bare = re.sub(r"(?i)^第|\s*(?:ed\.?|edn\.?|edition|版)$", "", text.strip())
    if bare.lower() in _ORDINALS:
        return str(_ORDINALS.index(bare.lower()) + 1)
    number = re.fullmatch(r"(?i)(\d+)(?:st|nd|rd|th)?", bare)
    return number[1] if number else text


def _dates(made: Item, fields: Mapping[str, str]) -> None:
    issued = _first(fields, "date", "year")
    if parts := _date(issued, fields.get("month", ""), fields.get("day", "")):
        made["issued"] = {"date-parts": [parts]}
    elif issued:
        made["status"] = plain(issued)  # "in press"
    accessed = _first(fields, "urldate", "accessed", "lastaccessed")
    note = f"{fields.get('note', '')} {fields.get('howpublished', '')}"
    if not accessed and (found := re.search(r"(?i)access(?:ed|ion)[^\d]*([\w ,./-]+)", note)):
        accessed = found[1]
    if parts := _date(accessed):
        made["accessed"] = {"date-parts": [parts]}


def _date(text: str, month: str = "", day: str = "") -> list[int]:
    """Year, month and day of the first date in a text, as far as known; empty without a year."""
    if not (found := _DATE.search(text)):
        return []
    first = [int(part) for part in found.groups() if part]
    if len(first) == 1 and (words := f"{month} {'' if month else text}".strip()):
        named = re.search("|".join(_MONTHS), words.lower())
        number = re.fullmatch(r"\D*(\d{1,2})\D*", month)
        if named:
            first.append(_MONTHS.index(named[0]) + 1)
            days = re.search(r"(?<!\d)(\d{1,2})(?!\d)", day or words)
            first += [int(days[1])] if days else []
        elif number:
            first.append(int(number[1]))
            first += [int(day)] if day.isdecimal() else []
    if len(first) > 1 and not 0 < first[1] < 13:
        del first[1:]
    if len(first) > 2 and not 0 < first[2] < 32:
        del first[2:]
    return first


def _access(made: Item, fields: Mapping[str, str]) -> None:
    """Set DOI and URL; a URL that only repeats the DOI is left out."""
    doi = _verbatim(fields.get("doi", ""))
    url = _verbatim(fields.get("url", ""))
    if not url:
        held = f"{fields.get('howpublished', '')} {fields.get('note', '')}"
        if found := re.search(r"https?://[^\s{}]+", _unescaped(held)):
            url = found[0].rstrip(".,;")
    for text in (doi, url):
        if found := _RESOLVER.fullmatch(text):
            doi = found[1] or found[2]
    if url and not _RESOLVER.fullmatch(url):
        made["URL"] = url
    if doi:
        made["DOI"] = doi


def _unescaped(raw: str) -> str:
    return re.sub(r"\\([_%&#$~])", r"\1", raw)


def _arxiv(fields: Mapping[str, str]) -> str:
    """The arXiv number of a work; empty without one."""
    archive = _first(fields, "eprinttype", "archiveprefix").lower()
    eprint = _verbatim(_first(fields, "eprint", "arxivid"))
    if archive in ("", "arxiv") and re.match(f"{_NUMBER}$", eprint, re.I):
        return eprint
    for name in ("eprint", "journal", "journaltitle", "volume", "number", "note", "howpublished",
                 "publisher", "doi", "url"):  # fmt: skip
        if found := _ARXIV.search(_unescaped(fields.get(name, ""))):
            return found[1]
    return ""


def _shape(made: Item, fields: Mapping[str, str], record: Record) -> None:
    """Adapt an item to the type of the work."""
    if fields.get("entrysubtype") == "newspaper":
        made["type"] = "article-newspaper"
    _preprint(made, fields)
    kind = made["type"]
    if kind == "document" and ("URL" in made or "DOI" in made):
        kind = "webpage"
    if kind == "chapter" and not fields.get("booktitle"):  # BibTeX's @inbook has a title alone
        kind = "book"
    own = kind == "paper-conference" and made.get("container-title") == made.get("title")
    if own or kind in ("book", "report", "thesis", "webpage", "software", "dataset", "patent"):
        made.pop("container-title", None)
    if kind in ("report", "patent", "standard") and "issue" in made:
        made["number"] = made.pop("issue")
    if kind == "paper-conference":
        made.pop("issue", None)
    written = plain(fields.get("type", ""))
    if kind == "thesis":
        made["genre"] = _TABLES["theses"].get(written.lower() or record.kind, written)
    if kind == "report":
        made["genre"] = "Tech. Rep." if written.lower() in ("", "techreport") else written
    made["type"] = kind
    for empty in [name for name, value in made.items() if not value]:
        del made[empty]


def _preprint(made: Item, fields: Mapping[str, str]) -> None:
    """Make an unpublished work at arXiv a preprint; give a published one its arXiv URL."""
    if not (number := _arxiv(fields)):
        return
    container = made.get("container-title", "")
    published = container and not re.search(r"(?i)arxiv|^corr$", container)
    if published or made["type"] not in ("article-journal", "document", "webpage", "article"):
        if "DOI" not in made and "URL" not in made:
            made["URL"] = f"https://arxiv.org/abs/{number}"
        return
    for variable in ("container-title", "volume", "issue", "page", "publisher", "URL"):
        made.pop(variable, None)
    made |= {"type": "article", "archive": "arXiv", "number": f"arXiv:{number}"}
    made.setdefault("DOI", f"10.48550/arXiv.{number}")
