"""Drawings as SVG: made small, and fit to stand in the page. Loads no drawing library."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from analysis.figures.common import inks

#: The inks of figures, which are made for white paper, follow the colours of the page.
_PAGE = {
    inks.INK: "var(--ink)",
    inks.INK_2: "var(--ink-2)",
    inks.RULE: "var(--rule)",
    inks.PAPER: "var(--paper)",
}
_USED = re.compile(r"""(?:xlink:)?href="#([^"]+)"|url\(#([^)]+)\)""")
_SVG = "http://www.w3.org/2000/svg"
_POINTS = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')
#: Attributes that place things. A thousandth of a point is finer than any screen or printer.
_PLACES = ("d", "x", "y", "transform")
_FINE = re.compile(r"(\.\d{3})\d+")
#: What matplotlib's own style sheet says of every element; here it is inherited.
_USUAL = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
_INHERITED = ("font-family", "font-size")


def lean(svg: str) -> str:
    """A drawing of matplotlib's without what nothing shows or refers to.

    Styles become attributes, which are read faster, and what most texts share is said once.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    used = {first or second for first, second in _USED.findall(svg)}
    _prune(root, used)
    texts = [element.attrib for element in root.iter(f"{{{_SVG}}}text")]
    for name in _INHERITED:
        found = [attributes.get(name, "") for attributes in texts]
        usual = max(sorted(set(found)), key=found.count, default="")
        if usual:
            root.set(name, usual)
            for attributes in texts:
                if attributes.get(name) == usual:
                    del attributes[name]
    for name, value in _USUAL.items():
        root.set(name, value)
    return ElementTree.tostring(root, encoding="unicode")


def _prune(element: ElementTree.Element, used: set[str]) -> None:
    kept: list[ElementTree.Element] = []
    for child in element:
        if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
            continue
        _prune(child, used)
        _plain(child)
        if child.get("id", "") not in used:
            child.attrib.pop("id", None)
        child.tail = None
        for part in child if child.tag == f"{{{_SVG}}}g" and not child.attrib else (child,):
            if _is_nothing(part):
                continue
            if kept and _continues(kept[-1], part):
                kept[-1].set("d", f"{kept[-1].attrib['d']} {part.attrib['d']}")
            else:
                kept.append(part)
    if not (element.text or "").strip():
        element.text = None
    element[:] = kept


def _plain(element: ElementTree.Element) -> None:
    """Its style as attributes, its places no finer than need be."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, colon, value = (part.strip() for part in declaration.partition(":"))
        if colon and _USUAL.get(name) != value:
            element.set(name, value.removesuffix("px") if name == "font-size" else value)
    for name in _PLACES:
        if name in element.attrib:
            element.set(name, _FINE.sub(r"\1", " ".join(element.attrib[name].split())))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if element.get("text-anchor") == "start":
        del element.attrib["text-anchor"]


def _is_nothing(element: ElementTree.Element) -> bool:
    """A definition of nothing, or an outline with neither a line nor a filling."""
    if element.tag == f"{{{_SVG}}}defs":
        return len(element) == 0
    return (
        element.get("fill") == "none" and "d" in element.attrib and "stroke" not in element.attrib
    )


def _continues(line: ElementTree.Element, part: ElementTree.Element) -> bool:
    """Whether two outlines in a row are alike, so that one stroke can draw both."""
    if line.tag != part.tag or "d" not in line.attrib or "d" not in part.attrib:
        return False
    first, second = ({**each.attrib, "d": ""} for each in (line, part))
    clear = any("opacity" in name for name in first)
    return first == second and first.get("fill") == "none" and not clear


def for_page(svg: str, prefix: str) -> str:
    """A drawing to stand in the page: coloured as it is, as wide as fits, with ids of its own."""
    svg = re.sub(r' id="([^"]+)"', rf' id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = _POINTS.sub(
        lambda size: f'style="max-width:{float(size[1]) / 72 * 6.75:.3g}rem"', svg, count=1
    )
    for ink, shown in _PAGE.items():
        svg = re.sub(re.escape(ink), shown, svg, flags=re.IGNORECASE)
    return svg


def size(svg: str) -> tuple[float, float]:
    """Width and height in points."""
    match = _POINTS.search(svg)
    if match is None:
        raise ValueError("an SVG without its size in points")
    return float(match[1]), float(match[2])
