"""One language of the report: its parts as trees, numbered and linked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import unescape
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


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents; ``number`` is empty for unnumbered headings."""

    level: int
    anchor: str
    number: str
    text: Markup


@dataclass(frozen=True)
class Part:
    """A section of the page; ``root`` holds its elements."""

    name: str
    root: Element

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


Typeset = Callable[[Element], None]


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
    typeset = _typesetter(lang, pdf)
    drafts = for_each(lambda section: (section, _draft(writer, section)), sections)
    contents: list[Entry] = []
    text = [draft for draft in drafts if not draft[0].appendix]

    parts: list[Part] = []

    def add(draft: tuple[SectionFile, Element] | None) -> None:
        if draft is None:
            parts.extend(_references(writer, contents))
        else:
            parts.append(_finished(writer, *draft, contents, typeset))

    # After all drafts: references may point to later sections.
    for_each(add, [*text, None, *drafts[len(text) :]])
    if not pdf:
        parts += _cards(writer, contents, typeset)
    matter = front_matter.matter(folder, writer.profile, results, lang)
    body = tree.parsed(matter.body)
    tree.tighten(body)
    typeset(body)
    summary = tree.parsed("" if pdf else writer.summary())
    writer.slots.fill(summary)
    tree.tighten(summary)
    typeset(summary)
    return Document(
        lang,
        replace(matter, body=tree.serialised([body], inner=True)),
        tuple(parts),
        tuple(contents),
        writer.assets,
        writer.drawings,
        tree.serialised([summary], inner=True),
    )


def _typesetter(lang: Lang, pdf: bool) -> Typeset:
    typeset = typeset_chinese if lang == "zh" else typeset_english
    return lambda root: typeset(root, pdf=pdf)


def _draft(writer: Writer, section: SectionFile) -> Element:
    path = section.files[writer.lang]
    root = tree.parsed(writer.html(writer.render(f"sections/{path.name}"), path))
    finish(root, writer.labels)
    return root


def _finished(
    writer: Writer, section: SectionFile, root: Element, contents: list[Entry], typeset: Typeset
) -> Part:
    writer.slots.fill(root)
    tree.tighten(root)
    _anchor_footnotes(root, f"{writer.lang}-{section.name}")
    _number(writer, section, root, contents, typeset)
    typeset(root)
    return Part(section.name, root)


def _entry(level: int, anchor: str, number: str, text: str, typeset: Typeset) -> Entry:
    shown = etree.Element("span")
    shown.text = text
    typeset(shown)
    return Entry(level, anchor, number, tree.serialised([shown], inner=True))


def _number(
    writer: Writer, section: SectionFile, root: Element, contents: list[Entry], typeset: Typeset
) -> None:
    """Number the headings, give them ids and add them to the table of contents."""
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
        contents.append(_entry(level, anchor, number, tree.text(heading), typeset))
        heading.set("id", anchor)
        if not section.number:
            continue
        shown = tree.content(heading)
        heading.text = None
        for child in list(heading):
            heading.remove(child)
        mark = tree.wrapped("span" if writer.pdf else "a", "secno", [number])
        if not writer.pdf:
            mark.set("href", f"#{anchor}")
        tree.insert(heading, 0, [mark, " ", *shown])
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


def _references(writer: Writer, contents: list[Entry]) -> Iterator[Part]:
    """The list of references, if works are cited."""
    if entries := writer.works.entries():
        title = writer.labels("references")
        contents.append(Entry(1, f"{writer.lang}-sec-references", "", Markup(escape(title))))
        works = [(key, Markup(text)) for key, text in entries]
        root = tree.parsed(partial("references", lang=writer.lang, title=title, works=works))
        tree.tighten(root)
        yield Part("references", root)


def _cards(writer: Writer, contents: list[Entry], typeset: Typeset) -> Iterator[Part]:
    """The run cards, if there are runs."""
    lang, labels = writer.lang, writer.labels
    if writer.records.runs:
        title = labels("cards")
        contents.append(_entry(1, f"{lang}-sec-cards", "", title, typeset))
        intro = partial("cards-intro", lang=lang, title=title, intro=labels("cards_intro"))
        each = run_cards.cards(writer.records.runs.values(), lang, labels)
        root = tree.parsed(intro + Markup("").join(each))
        tree.tighten(root)
        typeset(root)
        yield Part("cards", root)


def plain(html: str) -> str:
    """HTML as text, for titles and outlines."""
    return unescape(Markup(html).striptags())
