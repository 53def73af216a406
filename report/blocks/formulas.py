"""Formulas: TeX to MathML (math-core) for the page, and MathML to SVG (ziamath) for the PDF."""

import functools
import io
import re
import unicodedata
from collections.abc import Iterable
from html import escape, unescape
from importlib.metadata import distribution

from lxml import etree
from math_core import LatexError, LatexToMathML

from report.base.labels import Labels
from report.base.tree import Element
from report.blocks.numbers import MINUS, NBSP, TIMES, grouped

_NUMBER = re.compile(r"(?P<sign>-?)(?P<digits>\d[\d.]*(?:\\,\d{3})*)(?P<percent>(?:\\,)?\\%)?")
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
#: Refused: environments that number lines, and commands that browsers or the PDF do not draw.
_REFUSED = {
    r"\\begin\{(?:align|alignat|eqnarray|equation|flalign|gather|multline)\}": (
        "numbers its lines itself; write aligned or gathered, and the label behind the formula: "
        "$$ ... $$ (label)"
    ),
    r"\\(?:boxed|fbox|cancel|bcancel|xcancel|sout)(?![A-Za-z])": "is not drawn by browsers",
    r"\\(?:(?:text)?color|raisebox|nolimits|hline|hdashline)(?![A-Za-z])": (
        "is not drawn in the PDF"
    ),
    r"\\begin\{array\}\{[^}|:]*[|:]": "draws a line, which the PDF would lack",
}
#: The converter, with the definition of a command that it does not know.
_CONVERTER = LatexToMathML(fancy_error=False, macros={"mbox": r"\text{#1}"})
#: Styles of text by the converter's element.
_VARIANTS = {"b": "bold", "i": "italic", "code": "monospace", "span": "normal"}
#: Selectors between two kinds of script letters, which are removed.
_SELECTORS = re.compile("[\N{VARIATION SELECTOR-1}\N{VARIATION SELECTOR-2}]")
_ALIGNED = re.compile(r"text-align: ?(left|right|center)")
#: Font size of drawn formulas in pixels.
_DRAWN_SIZE = 20.0
#: Characters of a printed number in TeX.
_TEX = {
    MINUS: "-",
    NBSP: r"\,",
    TIMES: r"\times ",
    "%": r"\%",
    ",": "{,}",
    "∞": r"\infty ",
    **dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", (f"^{{{digit}}}" for digit in "-0123456789"), strict=True)),
}

#: Elements whose children are spoken with words between them.
_SPOKEN = frozenset(
    ("mfrac", "msub", "msup", "msubsup", "munder", "mover", "munderover", "msqrt", "mroot")
)


class FormulaError(ValueError):
    """A formula cannot be typeset; the message says why, ``at`` is the index in the TeX."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


def plain_number(tex: str) -> str | None:
    r"""A formula that is only a number (``60\,000``, ``95\,\%``) in the report's format, or None.

    Writers use such formulas for definitions, since digits in prose are refused.
    """
    match = _NUMBER.fullmatch(tex.strip())
    if match is None:
        return None
    digits = match["digits"].replace("\\,", "")
    whole, point, fraction = digits.partition(".")
    text = (MINUS if match["sign"] else "") + grouped(int(whole)) + point + fraction
    return text + ("%" if match["percent"] else "")


def number_tex(text: str) -> str:
    r"""A printed number as TeX: ``98.36%`` becomes ``98.36\%``.

    Raises:
        FormulaError: the text is not a number, or has a unit in Chinese.
    """
    tex = "".join(_TEX.get(character, character) for character in text.strip())
    tex = re.sub(r"\}\^\{", "", tex)  # one exponent
    tex = re.sub(r"(?<!\\)\b[A-Za-z]+(?:/[A-Za-z]+)?", lambda unit: rf"\text{{{unit[0]}}}", tex)
    if not re.search(r"\d", text) or _HAN.search(text):
        raise FormulaError(
            f"a formula cannot hold {text!r}: write a number without its unit, "
            "{{ n(..., unit=false) }}"
        )
    return tex


@functools.lru_cache(maxsize=1024)
def mathml(tex: str, *, display: bool) -> str:
    """A formula as a MathML element.

    Raises:
        FormulaError: the TeX cannot be converted.
    """
    if han := _HAN.search(tex):
        raise FormulaError(
            "a formula cannot hold Chinese text: the mathematical font has none", han.start()
        )
    for pattern, reason in _REFUSED.items():
        if found := re.search(pattern, tex):
            raise FormulaError(f"formula: {found[0]} {reason}", found.start())
    try:
        xml: str = _CONVERTER.convert_with_local_state(tex, displaystyle=display)
    except LatexError as error:
        at, _, message = str(error).partition(": ")
        raise FormulaError(f"formula: {message.rstrip('.')}", int(at)) from None
    opening = f'<math alttext="{escape(tex.strip())}"' + (' display="block"' if display else "")
    return _SELECTORS.sub("", xml).replace(
        '<math display="block"' if display else "<math", opening, 1
    )


def spoken(math: Element, labels: Labels) -> str:
    """A formula's MathML in words, for screen readers."""
    signs = dict(pair.split(" ", 1) for pair in labels("spoken_signs").split("; "))

    def in_words(element: Element) -> str:
        parts = [in_words(child) for child in element]
        if element.tag in _SPOKEN:
            return labels(f"spoken_{element.tag}", **dict(zip("abc", parts, strict=False)))
        text = unicodedata.normalize("NFKC", (element.text or "").strip())
        shown = signs.get(text, text) if text.isprintable() else ""
        return " ".join(filter(None, [shown, *parts]))

    return in_words(math)


def drawing(math: Element) -> tuple[str, str]:
    """A formula's MathML as an SVG, and the CSS of its size and its depth below the baseline.

    Raises:
        FormulaError: the formula cannot be drawn.
    """
    from xml.etree import ElementTree

    from ziamath.config import config
    from ziamath.zmath import Math

    config.svg2 = False  # outlines instead of references to them: WeasyPrint is faster
    element = ElementTree.fromstring(etree.tostring(math, with_tail=False))
    for cell in element.iter("mtd"):
        if aligned := _ALIGNED.search(cell.get("style", "")):
            cell.set("columnalign", aligned[1])
    for line in element.iter("mo"):
        if line.text == "\N{COMBINING LOW LINE}":  # ziamath would misplace it
            line.text = "\N{OVERLINE}"
    for styled in [text for text in element.iter("mtext") if len(text)]:
        variant, text = _VARIANTS[styled[0].tag], "".join(styled.itertext())
        styled.clear()
        styled.text = text
        styled.set("mathvariant", variant)
    try:
        drawn = Math(element, size=_DRAWN_SIZE)
        svg = drawn.svgxml()
    except Exception as error:
        # ziamath raises many kinds of errors.
        raise FormulaError(
            f"formula {math.get('alttext')!r} cannot be drawn ({type(error).__name__})"
        ) from None
    for character in filter(str.isprintable, "".join(element.itertext())):
        if not drawn.font.glyphindex(character):
            raise FormulaError(
                f"formula {math.get('alttext')!r}: the mathematical font lacks {character!r}"
            )
    _, top, width, height = (float(part) / _DRAWN_SIZE for part in svg.get("viewBox", "").split())
    # The baseline is at y = 0.
    css = f"width:{width:.3f}em;height:{height:.3f}em;vertical-align:{-(height + top):.3f}em"
    return ElementTree.tostring(svg, encoding="unicode"), css


def web_font(maths: Iterable[str]) -> bytes:
    """The mathematical font as WOFF, reduced to the characters of formulas in MathML.

    Phones and minimal Linux systems have no mathematical font and render formulas badly.
    """
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    # MathML has no character for a root, but the font needs it.
    shown = {"√", *unescape(re.sub("<[^>]*>", "", "".join(maths)))}
    italics = (0x210E, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C))
    points = {point for point in italics if unicodedata.normalize("NFKC", chr(point)) in shown}
    options = Options(hinting=False, layout_features=["ssty", "dtls", "flac"])
    package = distribution("ziamath")  # not imported, which takes long
    source = package.locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf")
    font = TTFont(source, recalcTimestamp=False, lazy=True)  # reproducible bytes
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=points | set(map(ord, shown)))
    subsetter.subset(font)
    font.flavor = "woff"  # WOFF2 saves a quarter and takes three times as long
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
