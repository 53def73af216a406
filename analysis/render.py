"""Figures as files: SVG for the page, PDF and PNG for other documents, CSV of the points."""

from __future__ import annotations

import base64
import csv
import io
import logging
import re
from pathlib import Path
from xml.etree import ElementTree

from matplotlib.figure import Figure as Plot

from analysis.figures import NothingToDraw, figures
from analysis.figures.common import marks
from analysis.figures.common.diagram import Diagram
from analysis.records import Records
from analysis.schema import LANGS, Figure, Lang
from models import UsageError

Drawing = Plot | Diagram
#: Resolution of bitmaps in dots per inch.
DPI = 300
_POINT_COLUMNS = ("panel", "name", "what", "x", "y")
_ROOT = Path(__file__).resolve().parent.parent


def draw(name: str, records: Records) -> tuple[Figure, dict[str, bytes]]:
    """Draw a figure in both languages, from the records that it shows only.

    Returns:
        Its entry in the results, and its files by name; no files if there is nothing to draw.
    """
    figure = figures()[name]
    runs = figure.runs(records)
    own = records.only(runs)
    alt: dict[Lang, str] = {}
    files: dict[str, bytes] = {}
    try:
        for lang in LANGS:
            drawing, alt[lang] = figure.draw(own, lang), figure.alt(own, lang)
            files |= {f"{name}.{lang}.{k}": write(drawing) for k, write in _WRITERS.items()}
            if lang == "en" and (data := points(drawing)):
                files[f"{name}.csv"] = data
    except NothingToDraw:
        alt, files = {}, {}
    code = Path(str(figure.module.__file__)).resolve().relative_to(_ROOT).as_posix()
    return Figure(runs=tuple(runs), code=code, alt=alt), files


def svg(drawing: Drawing) -> bytes:
    """A figure as a transparent SVG with text as text, in the colours of ``inks``."""
    return lean(_saved(drawing, "svg", transparent=True, metadata={"Date": None, "Creator": None}))


def points(drawing: Drawing) -> bytes:
    """The labelled points of a figure as comma-separated values; empty without any."""
    panels = drawing.axes if isinstance(drawing, Plot) else []
    found = [(at, *point) for at, axes in enumerate(panels, 1) for point in marks.points(axes)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_POINT_COLUMNS, *found])
    return out.getvalue().encode() if found else b""


def pdf(drawing: Drawing) -> bytes:
    """A figure as PDF with embedded fonts.

    Made by WeasyPrint: matplotlib embeds the Chinese fonts as Type 3, which journals refuse.

    Raises:
        UsageError: WeasyPrint cannot be loaded.
    """
    try:
        import weasyprint
    except OSError as error:  # a system library (Pango) is missing
        raise UsageError(f"WeasyPrint cannot be loaded ({error}); run `make setup`.") from None
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    width, height = (72 * side for side in drawing.get_size_inches())
    style = f"@page {{ size: {width}pt {height}pt; margin: 0 }} body {{ margin: 0 }}"
    address = f"data:image/svg+xml;base64,{base64.b64encode(svg(drawing)).decode()}"
    image = f'<img src="{address}" style="display: block; width: {width}pt" alt=""/>'
    return bytes(weasyprint.HTML(string=f"<style>{style}</style>{image}").write_pdf() or b"")


def png(drawing: Drawing) -> bytes:
    """A figure as a bitmap on white."""
    # A higher level takes twice as long and saves a tenth of the size.
    options = {"compress_level": 3}
    return _saved(
        drawing, "png", dpi=DPI, facecolor="white", metadata={"Software": None}, pil_kwargs=options
    )


_WRITERS = {"svg": svg, "pdf": pdf, "png": png}


def _saved(drawing: Drawing, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    drawing.savefig(out, format=kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


# --- SVGs for a page ------------------------------------------------------------------------------

_SVG = "http://www.w3.org/2000/svg"
_USED = re.compile(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"")


def lean(svg: bytes) -> bytes:
    """Make an SVG of matplotlib's fit to stand in a page.

    Metadata, style sheet and unused ids are removed, and tooltips become titles.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    used = {name for pair in _USED.findall(svg.decode()) for name in pair}
    for element in list(root.iter()):
        for child in list(element):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                element.remove(child)
        name = element.get("id", "")
        if name not in used:
            element.attrib.pop("id", None)
        if name.startswith(marks.TOOLTIP):
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = name.removeprefix(marks.TOOLTIP)
            element.insert(0, title)
        if not (element.text or "").strip():
            element.text = None
        element.tail = None
    # matplotlib's style sheet sets these on every element.
    root.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt"})
    return ElementTree.tostring(root, encoding="unicode").encode()
