"""Text from untrusted sources, escaped for display. Imports no torch."""

import re

#: Control characters except tab and line feed, bidirectional controls, line separators, byte order
#: marks, surrogates, and characters that XML does not allow.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff]"
)
#: Longer messages are cut.
_MAX_LINE = 600


def printable(text: str) -> str:
    r"""The text with invisible characters escaped: ``\x1b``, ``\u202e``."""
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The text as one line of at most 600 characters; everything unprintable is escaped."""
    line = " ".join(text[: 4 * _MAX_LINE].split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return shown if len(shown) <= _MAX_LINE else f"{shown[:_MAX_LINE]}…"
