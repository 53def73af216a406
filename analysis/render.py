"""Figures as files: SVG for the page, PDF and PNG for other documents, CSV of the points."""

import base64
import csv
import io
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from analysis.figures import NothingToDraw, figures
from analysis.figures.common import marks
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.theme import Sheet
from analysis.records import Records
from analysis.schema import LANGS, Figure, Lang
from models import UsageError

Drawing = Sheet | Diagram
#: Resolution of bitmaps in dots per inch.
DPI = 300
_POINT_COLUMNS = ("panel", "name", "what", "x", "y")
_ROOT = Path(__file__).resolve().parent.parent


def draw(name: str, records: Records) -> tuple[Figure, dict[str, bytes]]:
    """Draw a figure in both languages, from the records that it shows only: its entry in the
    results, and its files by name; no files if there is nothing to draw."""
    figure = figures()[name]
    runs = figure.runs(records)
    own = records.only(runs)
    alt: dict[Lang, str] = {}
    files: dict[str, bytes] = {}
    try:
        for lang in LANGS:
            drawing = figure.draw(own, lang)
            alt[lang], drawn = drawing.alt, svg(drawing)
            files[f"{name}.{lang}.svg"] = drawn
            files[f"{name}.{lang}.pdf"] = pdf(drawn, drawing.get_size_inches())
            files[f"{name}.{lang}.png"] = png(drawing)
            if lang == "en" and (data := points(drawing)):
                files[f"{name}.csv"] = data
    except NothingToDraw:
        alt, files = {}, {}
    code = Path(str(figure.module.__file__)).resolve().relative_to(_ROOT).as_posix()
    return Figure(runs=tuple(runs), code=code, alt=alt), files


def svg(drawing: Drawing) -> bytes:
    """A figure as a transparent SVG with text as text, in the colours of ``theme``."""
    return lean(_saved(drawing, "svg", transparent=True, metadata={"Date": None, "Creator": None}))


def points(drawing: Drawing) -> bytes:
    """The labelled points of a figure as comma-separated values; empty without any."""
    panels = drawing.axes if isinstance(drawing, Sheet) else []
    found = [(at, *point) for at, axes in enumerate(panels, 1) for point in marks.points(axes)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_POINT_COLUMNS, *found])
    return out.getvalue().encode() if found else b""


def pdf(svg: bytes, inches: Iterable[float]) -> bytes:
    """The SVG of a figure as PDF with embedded fonts; ``inches``: its width and height.

    Made by WeasyPrint: matplotlib embeds the Chinese fonts as Type 3, which journals refuse.

    Raises:
        UsageError: WeasyPrint cannot be loaded.
    """
    try:
        import weasyprint
    except OSError as error:  # a system library (Pango) is missing
        raise UsageError(f"WeasyPrint cannot be loaded ({error}); run `make setup`.") from None
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    width, height = (72 * side for side in inches)
    style = f"@page {{ size: {width}pt {height}pt; margin: 0 }} body {{ margin: 0 }}"
    address = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    image = f'<img src="{address}" style="display: block; width: {width}pt" alt=""/>'
    return bytes(weasyprint.HTML(string=f"<style>{style}</style>{image}").write_pdf() or b"")


def png(drawing: Drawing) -> bytes:
    """A figure as a bitmap on white."""
    # A higher level takes twice as long and saves a tenth of the size.
    options = {"compress_level": 3}
    return _saved(
        drawing, "png", dpi=DPI, facecolor="white", metadata={"Software": None}, pil_kwargs=options
    )


def _saved(drawing: Drawing, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    drawing.savefig(out, format=kind, **options)
    return out.getvalue()


# --- SVGs for a page ------------------------------------------------------------------------------

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_USED = re.compile(r"url\(#([^)]+)\)")
_POINT = re.compile(r"(-?[\d.]+(?:e-?\d+)?)\s+(-?[\d.]+(?:e-?\d+)?)")


def lean(svg: bytes) -> bytes:
    """Make an SVG of matplotlib's fit to stand in a page, with half of its elements.

    Metadata, style sheet, unused ids and groups that change nothing are removed, marks stand where
    they are drawn, successive paths of equal style are one, and tooltips become titles.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    _draw_marks(root)
    _simplify(root, set(_USED.findall(svg.decode())))
    # matplotlib's style sheet sets these on every element.
    root.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt"})
    return ElementTree.tostring(root, encoding="unicode").encode()


def _draw_marks(root: ElementTree.Element) -> None:
    """Replace references to marks by copies of the marks."""
    found = {}
    for definitions in root.iter(f"{{{_SVG}}}defs"):
        for mark in definitions.findall(f"{{{_SVG}}}path"):
            found[mark.attrib["id"]] = mark
            definitions.remove(mark)
    for use in root.iter(f"{{{_SVG}}}use"):
        mark = found[use.attrib.pop(_HREF)[1:]]
        x, y = float(use.attrib.pop("x", "0")), float(use.attrib.pop("y", "0"))
        use.tag = mark.tag
        style = f"{use.get('style', '')}; {mark.get('style', '')}"
        use.attrib.update(style=style, d=_shifted(mark.attrib["d"], x, y))


def _shifted(path: str, x: float, y: float) -> str:
    """The data of an SVG path, all of whose points are moved by (x, y)."""

    def moved(point: re.Match[str]) -> str:
        return f"{float(point[1]) + x:.3f} {float(point[2]) + y:.3f}"

    return _POINT.sub(moved, path)


def _simplify(element: ElementTree.Element, used: set[str]) -> None:
    parts: list[ElementTree.Element] = []
    for child in element:
        if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
            continue
        _simplify(child, used)
        name = child.get("id", "")
        if name not in used:
            child.attrib.pop("id", None)
        child.tail = None
        if name.startswith(marks.TOOLTIP):
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = name.removeprefix(marks.TOOLTIP)
            child.insert(0, title)
            parts.append(child)
        else:
            parts += _ungrouped(child)
    if element.get("id", "").startswith("matplotlib.axis"):  # lines by style, then texts
        parts.sort(key=lambda part: (part.tag == f"{{{_SVG}}}text", part.get("style", "")))
    if not (element.text or "").strip():
        element.text = None
    element[:] = []
    for part in parts:
        if len(element) and _continues(element[-1], part):
            element[-1].set("d", f"{element[-1].attrib['d']} {part.attrib['d']}")
        else:
            element.append(part)


def _ungrouped(element: ElementTree.Element) -> list[ElementTree.Element]:
    """The element without a group that changes nothing around it; nothing for empty ``defs``."""
    if element.tag == f"{{{_SVG}}}defs" and not len(element):
        return []
    if element.tag == f"{{{_SVG}}}g" and not element.attrib:
        return list(element)
    if element.tag == f"{{{_SVG}}}g" and len(element) == 1 and "transform" not in element[0].attrib:
        element[0].attrib.update(element.attrib | element[0].attrib)
        return list(element)
    return [element]


def _continues(line: ElementTree.Element, part: ElementTree.Element) -> bool:
    """Whether two successive paths have equal attributes, so that one element can hold both."""
    first, second = ({**each.attrib, "d": ""} for each in (line, part))
    solid = not re.search(r"(?<!stroke-)opacity", first.get("style", ""))
    return "d" in line.attrib and first == second and solid
