"""One language of the report: its parts as trees, numbered and linked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial as partial_of
from pathlib import Path

from lxml import etree
from markupsafe import Markup

from analysis.schema import Results
from report.base import tree
from report.base.environment import partial
from report.base.errors import Place, ReportError, for_each
from report.base.placeholders import escape, stand_in
from report.base.tree import Element
from report.blocks import front_matter, run_cards
from report.blocks.numbers import Lang
from report.documents.typography import typeset_chinese, typeset_english
from report.templating.engine import finish
from report.templating.macros import Writer
from report.templating.sections import SectionFile, in_language

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


Typeset = Callable[[Element], None]


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents; ``number`` is empty for unnumbered headings."""

    level: int
    anchor: str
    number: str
    text: Markup


@dataclass(frozen=True)
class Part:
    """A section of the page; ``root`` holds its elements, ``contents`` its headings."""

    name: str
    root: Element
    contents: tuple[Entry, ...]

    @property
    def html(self) -> Markup:
        """The part as HTML."""
        return tree.serialised([self.root], inner=True)


@dataclass(frozen=True)
class Document:
    """A whole language: front matter, sections, references and run cards.

    Attributes:
        assets: drawings by address, for the PDF only.
        summary: HTML of the page's first screen.
        drawings: content of the page's drawings by name.
    """

    lang: Lang
    front: front_matter.Front
    parts: tuple[Part, ...]
    contents: tuple[Entry, ...]
    assets: dict[str, str]
    drawings: dict[str, str]
    summary: str = ""

    def drawn(self, html: str) -> str:
        """HTML with the drawings inserted."""
        html = str(html)  # Markup.replace would escape the drawings
        for name, drawing in self.drawings.items():
            html = html.replace(stand_in(name), drawing)
        return html


def compose(
    folder: Path, results: Results, sections: list[SectionFile], lang: Lang, *, pdf: bool
) -> Document:
    """Render every template of a language.

    Raises:
        ReportError: there are errors in templates; the message names file and line of the first
            error of each section.
    """
    writer = Writer(folder, lang, pdf=pdf, results=results, sections=sections)
    sections = in_language(sections, lang)
    typeset = partial_of(typeset_chinese if lang == "zh" else typeset_english, pdf=pdf)
    drafts = for_each(lambda section: (section, _draft(writer, section)), sections)
    # After all drafts: references may point to later sections.
    parts = for_each(lambda draft: _finished(writer, *draft, typeset), drafts)
    text = sum(not section.appendix for section in sections)
    parts[text:text] = _references(writer)
    if not pdf:
        parts += _cards(writer, typeset)
    matter = front_matter.matter(folder, writer.profile, results, lang)
    body, summary = (
        _finished_html(writer, html, typeset)
        for html in (matter.body, "" if pdf else writer.summary())
    )
    return Document(
        lang,
        replace(matter, body=body),
        tuple(parts),
        tuple(entry for part in parts for entry in part.contents),
        writer.assets,
        writer.drawings,
        summary,
    )


def _finished_html(writer: Writer, html: str, typeset: Typeset) -> Markup:
    root = tree.parsed(html)
    writer.slots.fill(root)
    tree.tighten(root)
    typeset(root)
    return tree.serialised([root], inner=True)


def _draft(writer: Writer, section: SectionFile) -> Element:
    path = section.files[writer.lang]
    root = tree.parsed(writer.html(writer.render(f"sections/{path.name}"), path))
    finish(root, writer.labels)
    return root


def _finished(writer: Writer, section: SectionFile, root: Element, typeset: Typeset) -> Part:
    writer.slots.fill(root)
    tree.tighten(root)
    _anchor_footnotes(root, f"{writer.lang}-{section.name}")
    contents = tuple(_numbered(writer, section, root, typeset))
    typeset(root)
    return Part(section.name, root, contents)


def _entry(level: int, anchor: str, number: str, text: str, typeset: Typeset) -> Entry:
    shown = etree.Element("span")
    shown.text = text
    typeset(shown)
    return Entry(level, anchor, number, tree.serialised([shown], inner=True))


def _numbered(
    writer: Writer, section: SectionFile, root: Element, typeset: Typeset
) -> Iterator[Entry]:
    """Number the headings and give them ids; returns their lines of the table of contents."""
    place = Place(section.files[writer.lang], 1)
    base = f"{writer.lang}-sec-{section.name}"
    counts = {1: 0, 2: 0}
    for heading in list(root.iter(*_HEADINGS)):
        level = int(heading.tag[1])
        if (level == 1) != (counts[1] == 0):
            raise ReportError("expected one heading '# Title', first in the file", place)
        heading.tag = f"h{level + 1}"
        if level > 2:
            continue
        counts[level] += 1
        number = section.number
        if number and level > 1:
            number += f".{counts[2]}"
        anchor = base if level == 1 else f"{base}-{counts[2]}"
        yield _entry(level, anchor, number, tree.text(heading), typeset)
        heading.set("id", anchor)
        if not section.number:
            continue
        mark = tree.wrapped("span" if writer.pdf else "a", "secno", [number])
        if not writer.pdf:
            mark.set("href", f"#{anchor}")
        mark.tail = f" {heading.text or ''}"
        heading.text = None
        heading.insert(0, mark)
    if not counts[1]:
        raise ReportError("expected a heading '# Title', first in the file", place)


def _anchor_footnotes(root: Element, base: str) -> None:
    """Make the ids of footnotes unique in the page and equal in both languages up to a prefix."""
    for element in root.xpath('.//*[starts-with(@id, "fn")] | .//a[starts-with(@href, "#fn")]'):
        for name in ("id", "href"):
            value = element.get(name, "")
            if value.startswith(("fn", "#fn")):
                kind, number = value.lstrip("#").partition("-")[0], value.rpartition("-")[2]
                mark = "#" if name == "href" else ""
                element.set(name, f"{mark}{base}-{kind}{number}")


def _references(writer: Writer) -> Iterator[Part]:
    """The list of references, if works are cited."""
    if entries := writer.works.entries():
        title = writer.labels("references")
        works = [(key, Markup(text)) for key, text in entries]
        root = tree.parsed(partial("references", lang=writer.lang, title=title, works=works))
        tree.tighten(root)
        entry = Entry(1, f"{writer.lang}-sec-references", "", Markup(escape(title)))
        yield Part("references", root, (entry,))


def _cards(writer: Writer, typeset: Typeset) -> Iterator[Part]:
    """The run cards, if there are runs."""
    lang, labels = writer.lang, writer.labels
    if writer.records.runs:
        title = labels("cards")
        intro = partial("cards-intro", lang=lang, title=title, intro=labels("cards_intro"))
        each = run_cards.cards(writer.records.runs.values(), lang, labels)
        root = tree.parsed(intro + Markup("").join(each))
        tree.tighten(root)
        typeset(root)
        yield Part("cards", root, (_entry(1, f"{lang}-sec-cards", "", title, typeset),))
