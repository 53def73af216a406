"""One language of the report: its parts as trees, numbered and linked."""

import copyreg
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from lxml import etree
from lxml.builder import E
from markupsafe import Markup

from analysis.schema import Results
from report.base import tree
from report.base.environment import partial
from report.base.errors import Place, ReportError, for_each
from report.base.placeholders import stand_in
from report.base.tree import Element
from report.blocks import front_matter, run_cards
from report.blocks.numbers import Lang
from report.documents.typography import typeset
from report.templating.engine import finish
from report.templating.macros import Writer
from report.templating.sections import APPENDIX, SectionFile

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Elements go to other processes as HTML.
copyreg.pickle(etree._Element, lambda root: (tree.parsed, (tree.inner(root),)))


class Entry(NamedTuple):
    """A line of the table of contents; ``number`` is empty for unnumbered headings."""

    anchor: str
    number: str
    text: Markup


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes:
        order: parts are in this order.
        root: holds its elements.
        contents: its heading, and those of its subsections.
    """

    name: str
    order: int
    root: Element
    contents: tuple[Entry, ...]

    @property
    def html(self) -> Markup:
        """The part as HTML."""
        return tree.inner(self.root)


@dataclass(frozen=True)
class Document:
    """A whole language: front matter, sections, references and run cards.

    Attributes:
        summary: HTML of the page's first screen.
        drawings: content of the page's drawings by name.
    """

    lang: Lang
    front: front_matter.Front
    parts: tuple[Part, ...]
    drawings: dict[str, str]
    summary: str = ""

    def drawn(self, html: str) -> str:
        """HTML with the drawings inserted."""
        html = str(html)  # Markup.replace would escape the drawings
        for name, drawing in self.drawings.items():
            html = html.replace(stand_in(name), drawing)
        return html


def compose(folder: Path, results: Results, lang: Lang, *, pdf: bool) -> Document:
    """Render every template of a language.

    Raises:
        ReportError: there are errors in templates; the message names file and line of the first
            error of each section.
    """
    writer = Writer(folder, lang, pdf=pdf, results=results)
    drafts = for_each(lambda section: (section, _draft(writer, section)), writer.sections)
    # After all drafts: works are numbered then, and references may point to later sections.
    drafts = sorted([*drafts, *_generated(writer)], key=lambda draft: draft[0].order)
    parts = for_each(lambda draft: _finished(writer, *draft), drafts)
    front = front_matter.matter(folder, results, writer.labels)
    front = replace(front, body=_finished_html(writer, front.body))
    summary = "" if pdf else _finished_html(writer, writer.summary())
    return Document(lang, front, tuple(parts), writer.drawings, summary)


def _finished_html(writer: Writer, html: str) -> Markup:
    root = tree.parsed(html)
    writer.slots.fill(root)
    tree.tighten(root)
    typeset(root, writer.lang, pdf=writer.pdf)
    return tree.inner(root)


def _draft(writer: Writer, section: SectionFile) -> Element:
    path = section.files[writer.lang]
    root = tree.parsed(writer.html(writer.render(f"sections/{path.name}"), path))
    finish(root, writer.labels)
    return root


def _generated(writer: Writer) -> Iterator[tuple[SectionFile, Element]]:
    """The list of references, if works are cited, and on the page the run cards."""
    if works := [(key, Markup(text)) for key, text in writer.works.entries()]:
        html = partial("references", lang=writer.lang, label=writer.labels, works=works)
        yield SectionFile("references", APPENDIX - 1, {}), tree.parsed(html)
    if writer.records.runs and not writer.pdf:
        cards = run_cards.cards(writer.records.runs.values(), writer.labels)
        html = partial("cards", label=writer.labels, cards=Markup("").join(cards))
        yield SectionFile("cards", 1_000_000, {}), tree.parsed(html)


def _finished(writer: Writer, section: SectionFile, root: Element) -> Part:
    if section.files:  # what is generated holds no placeholders
        writer.slots.fill(root)
    tree.tighten(root)
    contents = tuple(_numbered(writer, section, root))
    if section.name != "references":  # the style of the references rules their typography
        typeset(root, writer.lang, pdf=writer.pdf)
    return Part(section.name, section.order, root, contents)


def _numbered(writer: Writer, section: SectionFile, root: Element) -> Iterator[Entry]:
    """Number the headings and give them ids; returns their lines of the table of contents."""
    base = f"{writer.lang}-sec-{section.name}"
    headings = list(root.iter(*_HEADINGS))
    if [heading.tag for heading in headings].count("h1") != 1 or headings[0].tag != "h1":
        place = Place(section.files[writer.lang], 1)
        raise ReportError("expected one heading '# Title', first in the file", place)
    subsections = 0
    for heading in headings:
        level = int(heading.tag[1])
        heading.tag = f"h{level + 1}"
        if level > 2:
            continue
        anchor, number = base, section.number
        if level == 2:
            subsections += 1
            anchor, number = f"{base}-{subsections}", number and f"{number}.{subsections}"
        shown = E.span(tree.text(heading))
        typeset(shown, writer.lang, pdf=writer.pdf)
        yield Entry(anchor, number, tree.inner(shown))
        heading.set("id", anchor)
        if not section.number:
            continue
        mark = E("span" if writer.pdf else "a", number, {"class": "secno"})
        if not writer.pdf:
            mark.set("href", f"#{anchor}")
        mark.tail = f" {heading.text or ''}"
        heading.text = None
        heading.insert(0, mark)
