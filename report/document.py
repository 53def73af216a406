"""One language of the report for one target: its parts as HTML, numbered and linked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import unescape
from pathlib import Path

from analysis.schema import Results
from report import cards, front
from report.errors import Place, ReportError
from report.macros import Writer
from report.numbers import Lang
from report.sandbox import bounded
from report.sections import SectionFile
from report.slots import escape
from report.typography import typeset, whole_names

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents; ``number`` is empty for unnumbered headings."""

    level: int
    anchor: str
    number: str
    text: str


@dataclass(frozen=True)
class Part:
    """A section of the page: pieces of HTML, which the side-by-side view aligns one by one."""

    name: str
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A whole language: front matter, sections, references and run cards.

    ``assets``: drawings by address, for the PDF only.
    """

    lang: Lang
    front: front.Front
    parts: tuple[Part, ...]
    contents: tuple[Entry, ...]
    assets: dict[str, str]


def compose(
    folder: Path, material: Results, sections: list[SectionFile], lang: Lang, *, pdf: bool
) -> Document:
    """Render every template of a language.

    Raises:
        ReportError: a template is at fault; the message names file and line.
    """
    writer = Writer(folder, lang, pdf=pdf, material=material, sections=sections)
    drafts = [
        (section, _within_bounds(section, lang, partial(_draft, writer, section)))
        for section in sections
    ]
    contents: list[Entry] = []
    parts: list[Part] = []
    for section, draft in drafts:  # filled only now, since references may point ahead
        html = _headings(writer, section, draft, contents)
        filled = _within_bounds(section, lang, partial(writer.slots.fill, html))
        parts.append(_part(section.name, filled))
    parts += _back(writer, contents)
    matter = front.matter(folder, writer.profile, material, lang)
    finish = _finisher(lang, pdf)
    return Document(
        lang,
        front.Front(**{**vars(matter), "body": finish(matter.body)}),
        tuple(_finished(part, finish) for part in parts),
        tuple(_entry(entry, finish) for entry in contents),
        writer.assets,
    )


def _within_bounds(section: SectionFile, lang: Lang, make: Callable[[], str]) -> str:
    """What a section comes to, if it comes to an end."""
    place = Place(section.files[lang], 1)
    try:
        with bounded(place):
            return make()
    except (MemoryError, RecursionError) as error:
        raise ReportError(f"takes too much ({type(error).__name__})", place) from None


Finish = Callable[[str], str]


def _finisher(lang: Lang, pdf: bool) -> Finish:
    return (lambda html: typeset(html, pdf=pdf)) if lang == "zh" else whole_names


def _finished(part: Part, finish: Finish) -> Part:
    if part.name == "references":  # in English, whatever the report's language
        return part
    return Part(part.name, tuple(finish(piece) for piece in part.pieces))


def _entry(entry: Entry, finish: Finish) -> Entry:
    return Entry(entry.level, entry.anchor, entry.number, finish(entry.text))


def _draft(writer: Writer, section: SectionFile) -> str:
    path = section.files[writer.lang]
    source = writer.render(f"sections/{path.name}")
    return writer.html(source, path)


def _headings(writer: Writer, section: SectionFile, html: str, contents: list[Entry]) -> str:
    """Number the headings, give them ids and note them for the table of contents."""
    path = section.files[writer.lang]
    base = f"{writer.lang}-sec-{section.name}"
    counts = {1: 0, 2: 0}

    def heading(match: re.Match[str]) -> str:
        level, inner = int(match[1]), match[2]
        if (level == 1) != (counts[1] == 0):
            raise ReportError("expected one heading '# Title', first in the file", Place(path, 1))
        if level > 2:
            return f"<h{level + 1}>{inner}</h{level + 1}>"
        counts[level] += 1
        number = str(section.number) if level == 1 else f"{section.number}.{counts[2]}"
        anchor = base if level == 1 else f"{base}-{counts[2]}"
        text = escape(writer.slots.text(inner))
        contents.append(Entry(level, anchor, number, text))
        shown = f'<span class="secno">{number}</span> {inner}'
        return f'<h{level + 1} id="{anchor}">{shown}</h{level + 1}>'

    html = _HEADING.sub(heading, html)
    if not counts[1]:
        raise ReportError("expected a heading '# Title', first in the file", Place(path, 1))
    return html


def _part(name: str, html: str) -> Part:
    """Cut at subsections, so that the two languages stay level."""
    return Part(name, tuple(piece for piece in re.split(r"(?=<h3 id=)", html) if piece.strip()))


def _back(writer: Writer, contents: list[Entry]) -> Iterator[Part]:
    """References and run cards."""
    lang, labels = writer.lang, writer.labels

    def title(name: str) -> str:
        text = escape(labels(name))
        contents.append(Entry(1, f"{lang}-sec-{name}", "", text))
        return f'<h2 id="{lang}-sec-{name}">{text}</h2>'

    if entries := writer.works.entries():
        items = "".join(
            f'<li id="{lang}-work-{escape(key)}"><span class="no">[{number}]</span>'
            f"<span>{text}</span></li>"
            for number, (key, text) in enumerate(entries, 1)
        )
        yield Part("references", (f'{title("references")}<ol class="works">{items}</ol>',))
    if writer.records.runs:
        intro = f"{title('cards')}<p>{escape(labels('cards_intro'))}</p>"
        runs = writer.records.runs.values()
        each = cards.cards(runs, lang, labels, writer.asset if writer.pdf else None)
        yield Part("cards", (intro, *each))


def plain(html: str) -> str:
    """HTML as text, for titles and outlines."""
    return unescape(re.sub(r"<[^>]*>", "", html))
