"""The report as one tree of elements (lxml), and functions for transforms of the tree.

Markdown and partials are parsed once; numbering, placeholders, typography and the alignment of
languages work on elements; ``serialised`` writes HTML at the end. Conventions for other writers:
``figure`` elements have ``data-figure`` or ``data-table``, formulas are ``math`` with their TeX in
``alttext``, footnotes are in ``section.footnotes``, findings are ``div.finding`` with
``data-finding`` and ``data-verdict``, numbers are ``a.n``, or ``data.n`` without a run card.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import entities
from re import compile as pattern
from typing import TypeAlias

from lxml import etree
from markupsafe import Markup

Element: TypeAlias = etree._Element
#: A piece of text or an element without a tail.
Node: TypeAlias = str | Element

_ENTITY = pattern(r"&(?!(?:lt|gt|amp|quot|apos);)(\w+;)")
#: Elements without an end tag in HTML.
_VOID = frozenset(("br", "hr", "img", "wbr", "col", "input", "link", "meta"))
#: Elements without direct text; line ends in them come from the template.
_CONTAINERS = frozenset(
    ("section", "article", "figure", "div", "details", "blockquote", "dl", "ol", "ul", "table")
).union(("thead", "tbody", "tr"))


def parsed(html: str) -> Element:
    """Parse HTML; returns a new ``section`` with its content.

    Raises:
        XMLSyntaxError: a tag is not closed, or closes another.
    """
    known = _ENTITY.sub(lambda entity: entities.html5.get(entity[1], entity[0]), html)
    return etree.fromstring(f"<section>{known}</section>")


def serialised(elements: Iterable[Element]) -> Markup:
    """Elements with their tails as HTML."""
    parts = []
    for element in elements:
        for empty in element.xpath("descendant-or-self::*[not(node())]"):
            if empty.tag not in _VOID:
                empty.text = ""  # forces an end tag
        parts.append(etree.tostring(element, encoding="unicode"))
    return Markup("".join(parts))


def inner(root: Element) -> Markup:
    """The content of an element without a tail as HTML."""
    html = serialised([root])
    return html[html.index(">") + 1 : html.rindex("<")]


def tighten(root: Element) -> None:
    """Remove line ends between elements of a block, some of which the PDF engine gives a line.

    Those between the blocks of the root stay, since floating figures need a line there.
    """
    for blank in root.xpath(".//text()[not(normalize-space())]"):
        element = blank.getparent()
        container = element.getparent() if blank.is_tail else element
        if container is None or container is root:
            continue
        if "\n" in blank and container.tag in _CONTAINERS:
            setattr(element, "tail" if blank.is_tail else "text", None)


def text(element: Element) -> str:
    """All text within an element."""
    return "".join(element.itertext(etree.Element))


def has_class(element: Element, name: str) -> bool:
    """Whether an element has a class."""
    return name in (element.get("class") or "").split()


def content(element: Element) -> list[Node]:
    """The content of an element as texts and elements; the elements' tails are removed."""
    nodes: list[Node] = [element.text or ""]
    for child in list(element):
        tail, child.tail = child.tail, None
        nodes += [child, tail or ""]
    return [node for node in nodes if not isinstance(node, str) or node]


def insert(parent: Element, index: int, nodes: Sequence[Node]) -> None:
    """Insert texts and elements before the child ``index``, after the text that precedes it."""
    for node in nodes:
        if not isinstance(node, str):
            parent.insert(index, node)
            index += 1
        elif index:
            before = parent[index - 1]
            before.tail = (before.tail or "") + node
        else:
            parent.text = (parent.text or "") + node


def replace(element: Element, nodes: Sequence[Node]) -> None:
    """Replace an element by texts and elements; its tail stays."""
    parent = element.getparent()
    index, tail = parent.index(element), element.tail
    element.tail = None
    parent.remove(element)
    insert(parent, index, [*nodes, tail or ""])


def walk(root: Element, opaque: frozenset[str]) -> Iterator[tuple[Element, str]]:
    """Walk a tree in order: ``open``, ``text``, children, ``close``, ``tail`` of each element.

    Args:
        root: the root, whose tail is left out.
        opaque: tags of elements whose content is left out.
    """
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if event == "start":
            yield element, "open"
            if element.tag in opaque:
                walker.skip_subtree()
            else:
                yield element, "text"
        else:
            yield element, "close"
            if element is not root:
                yield element, "tail"


def texts(root: Element, opaque: frozenset[str]) -> list[tuple[Element, str]]:
    """The place of every text in order: its element, and ``"text"`` or ``"tail"``; see ``walk``."""
    return [(each, kind) for each, kind in walk(root, opaque) if kind in ("text", "tail")]
