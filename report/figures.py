"""Drawing the figures: once for the page and the PDF as SVG, for export as PDF and PNG too."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from analysis.figures import NothingToDraw, style
from report.numbers import LANGS, Lang

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.findings import Finding
    from analysis.records import Records

#: Exported bitmaps, in dots an inch.
DPI = 300
#: The inks of figures, which are made for white paper, follow the colours of the page.
_PAGE = {
    style.INK: "var(--ink)",
    style.INK_2: "var(--ink-2)",
    style.RULE: "var(--rule)",
    style.PAPER: "var(--paper)",
}
_USED = re.compile(r"""(?:xlink:)?href="#([^"]+)"|url\(#([^)]+)\)""")
_SVG = "http://www.w3.org/2000/svg"
_POINTS = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')


def draw(
    module: ModuleType, records: Records, findings: Mapping[str, Finding]
) -> tuple[dict[Lang, str], dict[Lang, str]]:
    """Draw one figure in both languages.

    Returns:
        The SVGs, with the analysis's own ink colours, and what they show, in words; both empty
        where no run of the figure exists.
    """
    svgs: dict[Lang, str] = {}
    alts: dict[Lang, str] = {}
    try:
        for lang in LANGS:
            svgs[lang] = _svg(module.draw(records, findings, lang))
            alts[lang] = module.alt(records, findings, lang)
    except NothingToDraw:
        return {}, {}
    return svgs, alts


def _svg(figure: Figure) -> str:
    import matplotlib as mpl

    out = io.StringIO()
    # text stays text, and ids are the same on every run
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return _lean(out.getvalue())


def png(module: ModuleType, records: Records, findings: Mapping[str, Finding], lang: Lang) -> bytes:
    """A figure as a bitmap on white."""
    out = io.BytesIO()
    figure = module.draw(records, findings, lang)
    figure.savefig(out, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return out.getvalue()


def _lean(svg: str) -> str:
    """Without metadata, without ids that nothing refers to, without groups that group nothing."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    used = {first or second for first, second in _USED.findall(svg)}
    _prune(root, used)
    return ElementTree.tostring(root, encoding="unicode")


def _prune(element: ElementTree.Element, used: set[str]) -> None:
    kept: list[ElementTree.Element] = []
    for child in element:
        if child.tag == f"{{{_SVG}}}metadata":
            continue
        _prune(child, used)
        if child.get("id", "") not in used:
            child.attrib.pop("id", None)
        if "d" in child.attrib:
            child.set("d", " ".join(child.attrib["d"].split()))
        child.tail = None
        for part in child if child.tag == f"{{{_SVG}}}g" and not child.attrib else (child,):
            if kept and _continues(kept[-1], part):
                kept[-1].set("d", f"{kept[-1].attrib['d']} {part.attrib['d']}")
            else:
                kept.append(part)
    if not (element.text or "").strip():
        element.text = None
    element[:] = kept


def _continues(line: ElementTree.Element, part: ElementTree.Element) -> bool:
    """Whether two outlines in a row are alike, so that one stroke can draw both."""
    if line.tag != part.tag or "d" not in line.attrib or "d" not in part.attrib:
        return False
    first, second = ({**each.attrib, "d": ""} for each in (line, part))
    style = first.get("style", "")
    return first == second and "fill: none" in style and "opacity" not in style


def for_page(svg: str, prefix: str) -> str:
    """A drawing to stand in the page: coloured as it is, as wide as fits, with ids of its own."""
    svg = re.sub(r' id="([^"]+)"', rf' id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = _POINTS.sub(
        lambda size: f'style="max-width:{float(size[1]) / 72 * 6.75:.3g}rem"', svg, count=1
    )
    # rules of a drawing's own style sheet would apply to the whole page
    svg = re.sub(r"<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>", "", svg)
    for ink, shown in _PAGE.items():
        svg = re.sub(re.escape(ink), shown, svg, flags=re.IGNORECASE)
    return svg


def size(svg: str) -> tuple[float, float]:
    """Width and height in points."""
    match = _POINTS.search(svg)
    if match is None:
        raise ValueError("an SVG without its size in points")
    return float(match[1]), float(match[2])
