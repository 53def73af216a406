"""Placeholders, which keep the output of expressions from the Markdown parser.

Every ``{{ ... }}`` leaves a token of private-use characters in the text. After Markdown is
converted to a tree, the tokens are replaced by their elements and texts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape as escape_html
from html import unescape

from lxml import etree
from markupsafe import Markup

from experiments.support.text import printable
from report.base import tree
from report.base.errors import Place, ReportError, calling_place
from report.base.tree import Element, Node

_OPEN, _CLOSE = "\ue000", "\ue001"
_TOKEN = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_RESERVED = re.compile(f"[{_OPEN}{_CLOSE}]")
#: The beginning of a placeholder in a link's address, where it cannot be replaced.
IN_ADDRESS = "%EE%80%80"


def escape(text: str) -> str:
    """Escape text, which may come from data, as HTML without placeholders or control characters."""
    return escape_html(printable(_RESERVED.sub("", text)))


class Token(Markup):
    """A placeholder in the text of a template."""

    __slots__ = ()


@dataclass(frozen=True)
class _Slot:
    html: str | Callable[[], str]
    block: bool
    place: Place | None

    def resolve(self) -> str:
        return self.html if isinstance(self.html, str) else self.html()


class Slots:
    """The placeholders of one document."""

    def __init__(self) -> None:
        self._slots: list[_Slot] = []

    def add(self, html: str | Callable[[], str], *, block: bool = False) -> Token:
        """Store HTML, or a function that returns it at the end; returns its placeholder.

        Args:
            html: escaped HTML, which may contain placeholders itself.
            block: whether it must not be within a paragraph.
        """
        self._slots.append(_Slot(html, block, calling_place() if block else None))
        return Token(f"{_OPEN}{len(self._slots) - 1}{_CLOSE}")

    def quote(self, markup: str) -> Token:
        """Store a text that Jinja has escaped, escaped by ``escape``; its placeholders are kept."""
        parts = _TOKEN.split(markup)
        parts[::2] = [escape(unescape(text)) for text in parts[::2]]
        parts[1::2] = [f"{_OPEN}{number}{_CLOSE}" for number in parts[1::2]]
        return self.add("".join(parts))

    def fill(self, root: Element) -> None:
        """Replace every placeholder within an element by its content.

        Raises:
            ReportError: a block is within a paragraph.
        """
        for element in list(root.iter(etree.Element)):
            for name, value in element.attrib.items():
                if _OPEN in value:
                    element.set(name, self.text(value))
            if blocks := self._blocks(element):
                if element.tag == "li":
                    element.text = None
                    tree.insert(element, 0, blocks)
                else:
                    tree.replace(element, blocks)
                continue
            for index, child in reversed(list(enumerate(element))):
                if _OPEN in (child.tail or ""):
                    tail, child.tail = child.tail or "", None
                    tree.insert(element, index + 1, self._nodes(tail))
            if _OPEN in (element.text or ""):
                text, element.text = element.text or "", None
                tree.insert(element, 0, self._nodes(text))

    def filled(self, html: str) -> list[Node]:
        """HTML with placeholders as texts and elements."""
        return tree.content(self._root(html))

    def plain(self, html: str) -> str:
        """HTML with placeholders as plain text."""
        return tree.text(self._root(html))

    def _root(self, html: str) -> Element:
        try:
            root = tree.parsed(html)
        except etree.XMLSyntaxError as error:
            raise ReportError(f"HTML is not well-formed ({error.msg}): {html[:80]}") from None
        self.fill(root)
        return root

    def text(self, text: str) -> str:
        """Plain text with placeholders as plain text."""
        return _TOKEN.sub(lambda token: self.plain(self._slots[int(token[1])].resolve()), text)

    def _blocks(self, element: Element) -> list[Node]:
        """The blocks of a paragraph or list item; empty if it contains anything else."""
        if element.tag not in ("p", "li") or len(element):
            return []
        pieces = _TOKEN.split(element.text or "")
        slots = [self._slots[int(number)] for number in pieces[1::2]]
        if any(piece.strip() for piece in pieces[::2]) or not all(slot.block for slot in slots):
            return []
        return [node for slot in slots for node in self.filled(slot.resolve())]

    def _nodes(self, text: str) -> list[Node]:
        first, *rest = _TOKEN.split(text)
        nodes: list[Node] = [first]
        for number, after in zip(rest[::2], rest[1::2], strict=True):
            slot = self._slots[int(number)]
            if slot.block:
                raise ReportError("this must stand in a paragraph of its own", slot.place)
            nodes += [*self.filled(slot.resolve()), after]
        return nodes

    def parts(self, text: str, place: Place | None) -> list[str]:
        """Split a text at its placeholders; every second part is a placeholder's content as text.

        Raises:
            ReportError: the content of a placeholder is a block, or is known only at the end.
        """
        parts = _TOKEN.split(text)
        for index in range(1, len(parts), 2):
            slot = self._slots[int(parts[index])]
            if slot.block or not isinstance(slot.html, str):
                raise ReportError("only a number can stand in a formula: {{ n(...) }}", place)
            parts[index] = self.plain(slot.html)
        return parts


def stand_in(name: str) -> str:
    """The placeholder of a drawing, which is inserted when the page is written."""
    return f"{_OPEN}{name}{_CLOSE}"
