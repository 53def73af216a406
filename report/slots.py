"""Opaque placeholders: what an expression prints never meets the Markdown parser.

Every ``{{ ... }}`` leaves a token of private-use characters in the text; after Markdown has run,
the token is replaced by HTML that is already escaped.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from html import escape as escape_html
from html import unescape

from markupsafe import Markup

from experiments.support.text import printable
from report.errors import Place, ReportError

_OPEN, _CLOSE = "\ue000", "\ue001"
_IN_ADDRESS = re.compile(r"%EE%80%80", re.IGNORECASE)


def escape(text: str) -> str:
    """Text that may come from data as HTML: no tags, no placeholders, nothing unseen."""
    return escape_html(printable(text.replace(_OPEN, "").replace(_CLOSE, "")))


class Token(Markup):
    """A placeholder as it stands in the text of a template."""

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
        # No data and no template can know it, so that none can forge a placeholder.
        self._mark = secrets.token_hex(4)
        token = f"{_OPEN}{self._mark}-[0-9]+{_CLOSE}"
        self._token = re.compile(f"{_OPEN}{self._mark}-([0-9]+){_CLOSE}")
        self._apart = re.compile(f"({token})")
        self._paragraphs = re.compile(rf"<p>\s*((?:{token}\s*)+)</p>")
        self._item = re.compile(rf"(?<=<li>)\s*({token})\s*(?=</li>)")

    def add(
        self, html: str | Callable[[], str], *, block: bool = False, place: Place | None = None
    ) -> Token:
        """Keep HTML, or what yields it at the end, and return its placeholder.

        Args:
            html: escaped HTML, which may hold placeholders itself.
            block: it cannot stand within a paragraph.
            place: where the template asks for it.
        """
        self._slots.append(_Slot(html, block, place))
        return Token(f"{_OPEN}{self._mark}-{len(self._slots) - 1}{_CLOSE}")

    def quote(self, markup: str) -> Token:
        """Keep a text as Jinja has escaped it, with its placeholders, escaped as we do it."""
        parts = self._apart.split(markup)  # every second one is a placeholder
        return self.add(
            "".join(
                part if index % 2 else escape(unescape(part)) for index, part in enumerate(parts)
            )
        )

    def fill(self, html: str) -> str:
        """Replace every placeholder by its HTML.

        Raises:
            ReportError: a block stands within a paragraph.
        """
        html = self._paragraphs.sub(self._paragraph, html)
        html = self._item.sub(self._paragraph, html)
        return self._token.sub(self._inline, html)

    def text(self, text: str) -> str:
        """The same as plain text: tags left out, entities resolved."""
        return unescape(re.sub(r"<[^>]*>", "", self.fill(text)))

    def _paragraph(self, match: re.Match[str]) -> str:
        slots = [self._slots[int(number)] for number in self._token.findall(match[1])]
        if not all(slot.block for slot in slots):
            return match[0]
        return "\n".join(self.fill(slot.resolve()) for slot in slots)

    def _inline(self, match: re.Match[str]) -> str:
        slot = self._slots[int(match[1])]
        if slot.block:
            raise ReportError("this must stand in a paragraph of its own", slot.place)
        return self.fill(slot.resolve())


def in_address(html: str) -> bool:
    """Whether a placeholder got into a link's address, where it cannot be replaced."""
    return bool(_IN_ADDRESS.search(html))


def stray(source: str) -> bool:
    """Whether a template holds the characters that placeholders are made of."""
    return _OPEN in source or _CLOSE in source
