"""Text from elsewhere, made fit to be shown. Imports no torch."""

from __future__ import annotations

import re

#: Control characters but tab and line feed, marks that turn the direction of what follows, line
#: separators, byte order marks, halves of surrogate pairs, and what XML does not admit.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff]"
)
#: A line longer than this is cut: nobody reads it, and a message must stay one.
_LINE = 600


def printable(text: str) -> str:
    r"""The text with its unseen characters written out: ``\x1b``, ``\u202e``."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The same on one line of a readable length, for messages; it has nothing unseen at all."""
    line = " ".join(text[: 4 * _LINE].split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return shown if len(shown) <= _LINE else f"{shown[:_LINE]}…"
