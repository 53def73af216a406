"""Typography that neither Markdown nor the PDF engine provides.

Names like ResNet-18 are not broken at hyphens or hyphenated. On the page, a formula stays on one
line with the punctuation after it. In English, apostrophes are curly. In Chinese:

- for the PDF, one space between Han characters and Latin letters, digits, code and formulas,
  whether typed or not (never beside full-width punctuation). Browsers add a gap themselves
  (``text-autospace``), so that text copied from the page is as typed;
- quotation marks, dashes and ellipses beside Han characters use the Chinese font;
- for the PDF, adjacent full-width punctuation marks are set in half width, and no paragraph ends
  with a line of one character.

Only texts are changed, never code, formulas or drawings.
"""

import re

from lxml.builder import E

from report.base import tree
from report.base.tree import Element, Node
from report.blocks.numbers import Lang

_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
#: Latin and Greek letters, digits, and the signs that open or close a word or number.
_WORD = r"A-Za-z0-9\u00c0-\u024f\u0370-\u03ff"
_FIRST = _WORD + r"+\u2212@#$&"
_LAST = _WORD + "%°±²³⁰-⁹"
_WIDE_CLOSING = "，。、；：！？）】」』》〉”’"
_WIDE_OPENING = "（【「『《〈“‘"
_TYPED = re.compile(rf"(?<=[{_HAN}]) (?=[{_FIRST}])|(?<=[{_LAST}]) (?=[{_HAN}])")
_BOUNDARY = re.compile(rf"(?<=[{_HAN}])(?=[{_FIRST}])|(?<=[{_LAST}])(?=[{_HAN}])")
#: Quotation marks, dashes and ellipses, except those around and within Latin text.
_QUOTES = re.compile(
    rf"(?<![{_LAST} ])[“‘]|[“‘](?![{_FIRST}])|[”’](?![{_FIRST} ,.;:)])|(?<![{_LAST}])[”’]|——|……"
)
_MEETING = re.compile(
    f"[{_WIDE_CLOSING}](?=[{_WIDE_CLOSING}{_WIDE_OPENING}])|(?<=[{_WIDE_OPENING}])[{_WIDE_OPENING}]"
)

#: A name with a hyphen before a capital or digit, and one with a capital inside.
_HYPHENED = r"[A-Za-z]+(?:-[A-Za-z0-9]+)*-(?:[A-Z][A-Za-z0-9]*|\d+)(?:-[a-z]+)*"
_HYPHENED_NAME = re.compile(rf"(?<![\w&#-]){_HYPHENED}(?![\w-])")
_NAME = re.compile(rf"(?<![\w&#-])(?:{_HYPHENED}|[A-Za-z]*[a-z][A-Z][A-Za-z]*)(?![\w-])")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)|(?<=s)'(?= )|^'(?=s\b)")
_PARAGRAPH_END = re.compile(rf"(?<=[{_HAN}{_WIDE_CLOSING}])[{_HAN}]{{2}}[。：；？！]?$")
_OPENING_AT_END = re.compile("[（“(]$")
_CLOSING_FIRST = re.compile(f"^[{_WIDE_CLOSING},.;:)]+")

#: Elements whose content is not changed. Some count as a Latin letter for their neighbours.
_OPAQUE = frozenset(("code", "pre", "math", "svg", "script", "style", "kbd", "samp"))
_LIKE_LATIN = frozenset(("code", "math", "kbd", "samp"))
_INLINE = frozenset(
    ("a", "abbr", "b", "cite", "data", "em", "i", "q", "small", "span", "strong", "sub", "sup")
).union(("u", "var", "time", "label"))
#: The place of a text: its element, and ``"text"`` or ``"tail"``.
_Place = tuple[Element, str]
#: Patterns, each with the CSS class of its matches.
_Rules = tuple[tuple[re.Pattern[str], str], ...]
_ENGLISH: _Rules = ((_NAME, "whole"),)
_CHINESE: _Rules = ((_QUOTES, "han"), (_HYPHENED_NAME, "whole"))
_CHINESE_ON_PAPER: _Rules = ((_MEETING, "half"), *_CHINESE)


def typeset(root: Element, lang: Lang, *, pdf: bool) -> None:
    """Apply the rules of a language to a tree."""
    if not pdf:
        for math in list(root.iter("math")):
            _hold(math)
    elif lang == "zh":
        _space(root)
    for element, kind in tree.texts(root, _OPAQUE):
        rules = _ENGLISH if lang == "en" else _CHINESE_ON_PAPER if pdf else _CHINESE
        if lang == "en" and (text := getattr(element, kind)):
            setattr(element, kind, _APOSTROPHE.sub("’", text))
        if lang == "zh" and pdf and _ends_paragraph((element, kind)):
            rules = (*rules, (_PARAGRAPH_END, "whole"))
        _mark((element, kind), rules)


def _space(root: Element) -> None:
    """Set spaces between Han characters and others."""
    before = ""  # the last character shown in this block
    # Place of a space: before opening tags, so that no link begins with a space.
    edge: _Place = (root, "text")
    for element, event in tree.walk(root, _OPAQUE):
        if event in ("text", "tail"):
            text = getattr(element, event)
            if not text:
                continue
            setattr(element, event, "")
            if _BOUNDARY.search(before + text[0]):
                _append(edge, " ")
            edge = (element, event)
            _append(edge, _BOUNDARY.sub(" ", _TYPED.sub("", text)))
            before = text[-1]
        elif element.tag in _OPAQUE:
            if element.tag not in _LIKE_LATIN:
                before = ""
            elif event == "open":
                if _BOUNDARY.search(before + "A"):
                    _append(edge, " ")
                before = "A"
        elif element.tag not in _INLINE:
            before = ""
        if event == "close":
            edge = (element, "tail")


def _append(place: _Place, text: str) -> None:
    element, name = place
    setattr(element, name, (getattr(element, name) or "") + text)


def _hold(math: Element) -> None:
    """Keep a formula on one line with the punctuation before and after it."""
    closing = _CLOSING_FIRST.match(math.tail or "")
    if closing is None:
        return
    math.tail = math.tail[closing.end() :]
    before = math.getprevious()
    place = (math.getparent(), "text") if before is None else (before, "tail")
    text = getattr(*place) or ""
    opening = _OPENING_AT_END.search(text)
    if opening:
        setattr(*place, text[: opening.start()])
    span = E.span({"class": "whole"})
    tree.replace(math, [span])
    tree.insert(span, 0, [opening[0] if opening else "", math, closing[0]])


def _ends_paragraph(place: _Place) -> bool:
    element, name = place
    last = len(element) == 0 if name == "text" else element.getnext() is None
    block = element if name == "text" else element.getparent()
    return last and block.tag in ("p", "li")


def _mark(place: _Place, rules: _Rules) -> None:
    """Wrap the matches of the rules in spans, except in names and numbers, which never break."""
    element, name = place
    named = {"name", "n"}.intersection(element.get("class", "").split())
    if name == "text" and (named or element.get("scope") == "row"):
        return
    text = getattr(element, name) or ""
    found: dict[tuple[int, int], list[str]] = {}
    for pattern, css in rules:
        for match in pattern.finditer(text):
            found.setdefault(match.span(), []).insert(0, css)
    if not found:
        return
    nodes: list[Node] = []
    end = 0
    for (start, stop), classes in sorted(found.items()):
        nodes += [text[end:start], E.span(text[start:stop], {"class": " ".join(classes)})]
        end = stop
    nodes.append(text[end:])
    setattr(element, name, None)
    if name == "text":
        tree.insert(element, 0, nodes)
    else:
        parent = element.getparent()
        tree.insert(parent, parent.index(element) + 1, nodes)
