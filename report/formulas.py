"""Formulas: MathML in the page, a drawing with alternative text in the PDF."""

from __future__ import annotations

import functools
import re
import unicodedata
from html import escape
from typing import NamedTuple
from xml.etree import ElementTree

from report.numbers import MINUS, Lang, grouped

_NUMBER = re.compile(r"(?P<sign>-?)(?P<digits>\d[\d.]*(?:\\,\d{3})*)(?P<percent>(?:\\,)?\\%)?")
_LETTERS = re.compile(r'(?:<mi mathvariant="normal">[A-Za-z]</mi>){2,}')
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_VIEW_BOX = re.compile(r'viewBox="(\S+) (\S+) (\S+) (\S+)"')
#: The size in pixels that formulas are drawn at; they are placed in units of it (em).
_DRAWN_SIZE = 20.0


class Drawn(NamedTuple):
    """A drawing of a formula: an SVG, and in em its size and depth below the baseline."""

    svg: str
    width: float
    height: float
    depth: float


class FormulaError(ValueError):
    """A formula that cannot be set; the message says why."""


def plain_number(tex: str) -> str | None:
    r"""A formula that is only a number (``60\,000``, ``95\,\%``), as the report prints numbers.

    Writers type definitions so, since ordinary digits in prose are refused.
    """
    match = _NUMBER.fullmatch(tex.strip())
    if match is None:
        return None
    digits = match["digits"].replace("\\,", "")
    whole, point, fraction = digits.partition(".")
    text = (MINUS if match["sign"] else "") + grouped(int(whole)) + point + fraction
    return text + ("%" if match["percent"] else "")


def _prepared(tex: str) -> str:
    """The few commands that the converter does not know, in those that it does."""
    tex = re.sub(r"\\mathrm\{(.+?)\}", r"\\mathrm {\1}", tex)
    return re.sub(r"\\(begin|end)\{(aligned|gathered|split)\}", r"\\\1{align*}", tex)


@functools.lru_cache(maxsize=1024)
def mathml(tex: str, *, display: bool) -> str:
    """A formula as a MathML element.

    Raises:
        FormulaError: it is not TeX that can be converted.
    """
    from latex2mathml import converter

    _check(tex)
    try:
        xml: str = converter.convert(_prepared(tex), display="block" if display else "inline")
    except Exception as error:
        # the converter raises whatever its parser runs into
        raise FormulaError(f"formula cannot be parsed ({type(error).__name__})") from None
    _check_mathml(xml)
    command = re.search(r"\\[A-Za-z]+", xml)
    if command is not None:
        raise FormulaError(f"formula has an unknown command {command[0]}")
    xml = _LETTERS.sub(lambda run: f"<mi>{''.join(re.findall('>(.)<', run[0]))}</mi>", xml)
    xml = re.sub(r'<m[in] mathvariant="bold(?:-italic)?">([A-Za-z0-9])</m[in]>', _bold, xml)
    xml = re.sub(r'<mi mathvariant="script">([A-Z])</mi>', _script, xml)
    # MathML Core leaves alignment to CSS, and knows no negative spaces by name
    xml = re.sub(r'<mtd columnalign="(\w+)"', r'<mtd style="text-align:\1"', xml)
    xml = re.sub(r'<mspace width="negative\w+" */>', "", xml)
    opening = f'<math alttext="{escape(tex.strip())}"' + (' display="block"' if display else "")
    return re.sub(r"<math[^>]*", lambda _: opening, xml, count=1)


def _check_mathml(xml: str) -> None:
    """The converter copies ``\\text`` as it is, and has commands for links and styles."""
    try:
        root = ElementTree.fromstring(re.sub(r"&(?!#?\w+;)", "&amp;", xml))
    except ElementTree.ParseError:
        raise FormulaError("formula has a < or & in its text") from None
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        if not name.startswith("m"):
            raise FormulaError(f"formula has a <{name}> in its text")
        for attribute in element.attrib:
            if attribute in ("href", "style", "class", "id"):
                raise FormulaError(f"formula sets {attribute}, which is none of its business")


def _script(match: re.Match[str]) -> str:
    """Likewise for script capitals, some of which Unicode had before the others."""
    name = f"SCRIPT CAPITAL {match[1]}"
    try:
        return f"<mi>{unicodedata.lookup(name)}</mi>"
    except KeyError:
        return f"<mi>{unicodedata.lookup(f'MATHEMATICAL {name}')}</mi>"


def _bold(match: re.Match[str]) -> str:
    """MathML Core knows no ``mathvariant`` but normal: use the bold letters of Unicode."""
    letter = match[1]
    start, base = (0x1D400, "A") if letter.isupper() else (0x1D41A, "a")
    if letter.isdigit():
        start, base = 0x1D7CE, "0"
    return f"<mi>{chr(start + ord(letter) - ord(base))}</mi>"


@functools.lru_cache(maxsize=1024)
def drawing(tex: str, *, display: bool) -> Drawn:
    """A formula as an SVG, with its width, height and depth below the baseline in em.

    Raises:
        FormulaError: it is not TeX that can be drawn.
    """
    from ziamath.config import config
    from ziamath.zmath import Latex

    _check(tex)
    config.svg2 = False  # outlines as they are, not by reference: drawn faster
    try:
        svg: str = Latex(_prepared(tex), size=_DRAWN_SIZE, inline=not display).svg()
        box = _VIEW_BOX.search(svg)
        if box is None:
            raise ValueError("no viewBox")
    except Exception as error:
        # as above
        raise FormulaError(f"formula cannot be drawn ({type(error).__name__})") from None
    top, width, height = float(box[2]), float(box[3]), float(box[4])
    depth = height + top  # the baseline is at y = 0
    return Drawn(_merged(svg), width / _DRAWN_SIZE, height / _DRAWN_SIZE, depth / _DRAWN_SIZE)


def _merged(svg: str) -> str:
    """The same drawing as one outline."""
    outlines = [found[1] for found in re.finditer(r'<path d="([^"]*)"', svg)]
    for found in re.finditer(r'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"', svg):
        x, y, width, height = (float(part) for part in found.groups())
        corners = (x, y), (x + width, y), (x + width, y + height), (x, y + height)
        outlines.append("M " + " L ".join(f"{a:.3f} {b:.3f}" for a, b in corners) + " Z")
    head = svg[: svg.index(">") + 1]
    return f'{head}<path d="{" ".join(outlines)}"/></svg>'


def _check(tex: str) -> None:
    if _HAN.search(tex):
        raise FormulaError("a formula cannot hold Chinese text: the mathematical font has none")


def spoken(tex: str, lang: Lang) -> str:
    """The text alternative of a formula: its TeX, named as such."""
    return f"{'公式' if lang == 'zh' else 'formula'}: {tex.strip()}"
