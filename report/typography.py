"""Typesetting that neither Markdown nor the PDF engine does by itself.

In both languages, names like ResNet-18 are neither broken at their hyphens nor hyphenated. In
Chinese:

- one ordinary space between Han characters and Latin letters, digits, code and formulas,
  whether the writer typed it or not (never beside full-width punctuation);
- quotation marks, dashes and ellipses beside Han characters from the Chinese font;
- for the PDF, full-width punctuation marks that meet are set half as wide, and no paragraph ends in
  a line of a single character.

Only text between tags is touched, never code, formulas or drawings.
"""

from __future__ import annotations

import re
from html import unescape

_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
#: Latin and Greek letters, digits, and the signs that open or close a word or number.
_WORD = r"A-Za-z0-9\u00c0-\u024f\u0370-\u03ff"
_FIRST = _WORD + r"+\u2212@#$&"
_LAST = _WORD + "%°±²³⁰-⁹"
_WIDE_CLOSING = "，。、；：！？）】」』》〉”’"
_WIDE_OPENING = "（【「『《〈“‘"
_IS_HAN = re.compile(f"[{_HAN}]")
_IS_FIRST = re.compile(f"[{_FIRST}]")
_IS_LAST = re.compile(f"[{_LAST}]")
_PIECES = re.compile(r"(<[^>]*>)")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)")
_TYPED = re.compile(rf"(?<=[{_HAN}]) (?=[{_FIRST}])|(?<=[{_LAST}]) (?=[{_HAN}])")
_BOUNDARY = re.compile(rf"(?<=[{_HAN}])(?=[{_FIRST}])|(?<=[{_LAST}])(?=[{_HAN}])")
#: Quotation marks and the like, but for those around and within Latin text.
_QUOTES = re.compile(
    rf"(?<![{_LAST} ])[“‘]|[“‘](?![{_FIRST}])|[”’](?![{_FIRST} ,.;:)])|(?<![{_LAST}])[”’]|——|……"
)
_MEETING = re.compile(
    f"[{_WIDE_CLOSING}](?=[{_WIDE_CLOSING}{_WIDE_OPENING}])|(?<=[{_WIDE_OPENING}])[{_WIDE_OPENING}]"
)

#: A name with a hyphen and a capital or digit behind it, and one with a capital inside.
_HYPHENED = r"[A-Za-z]+(?:-[A-Za-z0-9]+)*-(?:[A-Z][A-Za-z0-9]*|\d+)(?:-[a-z]+)*"
_HYPHENED_NAME = re.compile(rf"(?<![\w&#-]){_HYPHENED}(?![\w-])")
_NAME = re.compile(rf"(?<![\w&#-])(?:{_HYPHENED}|[A-Za-z]*[a-z][A-Z][A-Za-z]*)(?![\w-])")
_PARAGRAPH_END = re.compile(
    rf"(?<=[{_HAN}{_WIDE_CLOSING}])([{_HAN}]{{2}}[。：；？！]?)(?=</(?:p|li)>)"
)

#: A formula with the marks that may not stand apart from it.
_FORMULA = re.compile(
    rf"[（“]?<math alttext=[^>]*>(?:(?!</math>).)*</math>[{_WIDE_CLOSING}]+", re.DOTALL
)

#: Their content is left alone; of some it counts as one Latin letter for its neighbours.
_OPAQUE = {"code", "pre", "math", "svg", "script", "style", "kbd", "samp"}
_LIKE_LATIN = {"code", "math", "kbd", "samp"}
_INLINE = {
    "a",
    "abbr",
    "b",
    "cite",
    "data",
    "em",
    "i",
    "q",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "u",
    "var",
    "time",
    "label",
}


def whole_names(html: str) -> str:
    """Keep names in one piece, in a piece of English HTML."""
    out: list[str] = []
    opaque = 0
    for piece in _PIECES.split(html):
        tag = _TAG.match(piece)
        if tag is None:
            out.append(piece if opaque else _NAME.sub(_whole, piece))
            continue
        if tag[2].lower() in _OPAQUE and not piece.endswith("/>"):
            opaque += -1 if tag[1] else 1
        out.append(piece)
    return "".join(out)


def _whole(match: re.Match[str]) -> str:
    return f'<span class="whole">{match[0]}</span>'


def typeset(html: str, *, pdf: bool) -> str:
    """Apply the rules above to a piece of Chinese HTML."""
    out: list[str] = []
    edge = 0  # where a gap goes: in front of opening tags, so that no link begins with a space
    before = ""  # the last character shown in this block
    opaque = 0
    for piece in _PIECES.split(html):
        if not piece:
            continue
        tag = _TAG.match(piece)
        if tag is None:
            if opaque:
                out.append(piece)
            else:
                shown = unescape(piece)
                if _meet(before, shown[0]):
                    out.insert(edge, " ")
                out.append(_text(piece, pdf))
                before = shown[-1]
            edge = len(out)
            continue
        closing, name = bool(tag[1]), tag[2].lower()
        like_latin = name in _LIKE_LATIN or (name == "img" and 'class="formula"' in piece)
        if name in _OPAQUE and not piece.endswith("/>"):
            if not closing and not opaque and like_latin and _meet(before, "A"):
                out.insert(edge, " ")
            opaque += -1 if closing else 1
            before = "A" if like_latin else ""
        elif not opaque and name == "img":
            if like_latin and _meet(before, "A"):
                out.insert(edge, " ")
            before = "A" if like_latin else ""
        elif not opaque and name not in _INLINE:
            before = ""
        out.append(piece)
        if closing or name == "img":
            edge = len(out)
    typed = "".join(out)
    return _PARAGRAPH_END.sub(_whole, typed) if pdf else _FORMULA.sub(_whole, typed)


def _meet(left: str, right: str) -> bool:
    return bool(left) and bool(
        (_IS_HAN.match(left) and _IS_FIRST.match(right))
        or (_IS_LAST.match(left) and _IS_HAN.match(right))
    )


def _text(text: str, pdf: bool) -> str:
    # An entity (&amp;) begins like a word and ends in a semicolon: no gap behind it, as with "&".
    text = _BOUNDARY.sub(" ", _TYPED.sub("", text))
    return _HYPHENED_NAME.sub(_whole, _marks(text, pdf))


def _marks(text: str, pdf: bool) -> str:
    if not pdf:
        return _QUOTES.sub(lambda mark: f'<span class="han">{mark[0]}</span>', text)
    text = _MEETING.sub(lambda mark: f"\x00{mark[0]}\x01", text)
    text = _QUOTES.sub(lambda mark: f"\x02{mark[0]}\x01", text)
    text = text.replace("\x00\x02", "\x03").replace("\x01\x01", "\x01")
    return (
        text.replace("\x00", '<span class="half">')
        .replace("\x02", '<span class="han">')
        .replace("\x03", '<span class="han half">')
        .replace("\x01", "</span>")
    )
