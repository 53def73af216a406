"""A figure of the analysis as files: SVG for the report, PDF and PNG for a paper."""

from __future__ import annotations

import base64
import io
import logging
import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure as Plot

from analysis.figures import NothingToDraw, figures
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.marks import TOOLTIP
from analysis.records import Records
from analysis.schema import LANGS, Figure, Lang
from models import UsageError

Drawing = Plot | Diagram
#: Resolution of bitmaps, in dots an inch.
DPI = 300
_ROOT = Path(__file__).resolve().parent.parent


def draw(name: str, records: Records) -> tuple[Figure, dict[str, bytes]]:
    """Draw a figure in both languages from its own records alone.

    Returns:
        Its entry in the results, and its files by name; no files where there is nothing to draw.
    """
    module = figures()[name]
    runs = module.runs(records)
    own = records.only(runs)
    alt: dict[Lang, str] = {}
    files: dict[str, bytes] = {}
    try:
        for lang in LANGS:
            drawing, alt[lang] = module.draw(own, lang), module.alt(own, lang)
            files |= {f"{name}.{lang}.{k}": write(drawing) for k, write in _WRITERS.items()}
    except NothingToDraw:
        alt, files = {}, {}
    code = Path(str(module.__file__)).resolve().relative_to(_ROOT).as_posix()
    return Figure(runs=tuple(runs), code=code, alt=alt), files


def svg(drawing: Drawing) -> bytes:
    """A figure as SVG, transparent, its text as text, with the inks of ``analysis.figures``."""
    return lean(_saved(drawing, "svg", transparent=True, metadata={"Date": None, "Creator": None}))


def pdf(drawing: Drawing) -> bytes:
    """A figure as PDF, its fonts embedded.

    By WeasyPrint, as matplotlib embeds the Chinese fonts as Type 3, which journals refuse.

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
    # a higher level of compression takes twice as long and saves a tenth
    options = {"compress_level": 3}
    return _saved(
        drawing, "png", dpi=DPI, facecolor="white", metadata={"Software": None}, pil_kwargs=options
    )


_WRITERS = {"svg": svg, "pdf": pdf, "png": png}


def _saved(drawing: Drawing, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report", "savefig.bbox": None}):
        drawing.savefig(out, format=kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


# --- Small SVGs ---------------------------------------------------------------------------------

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_USED = re.compile(r"""(?:xlink:)?href="#([^"]+)"|url\(#([^)]+)\)""")
#: Attributes that hold coordinates, which are cut to thousandths of a point.
_COORDINATES = ("d", "x", "y", "transform")
_FINE = re.compile(r"(\.\d{3})\d+")
#: What matplotlib's own style sheet says of every element; here it is inherited.
_DEFAULTS = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
_INHERITED = ("font-family", "font-size")


def lean(svg: bytes) -> bytes:
    """A drawing of matplotlib's without metadata, style sheet, unused ids and empty elements.

    Styles become attributes, and the most frequent font is said once, so that a page can hold it.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    used = {first or second for first, second in _USED.findall(svg.decode())}
    _prune(root, used)
    _inline(root)
    texts = [element.attrib for element in root.iter(f"{{{_SVG}}}text")]
    for name in _INHERITED:
        found = [attributes.get(name, "") for attributes in texts]
        usual = max(sorted(set(found)), key=found.count, default="")
        if usual:
            root.set(name, usual)
            for attributes in texts:
                if attributes.get(name) == usual:
                    del attributes[name]
    for name, value in _DEFAULTS.items():
        root.set(name, value)
    return ElementTree.tostring(root, encoding="unicode").encode()


def _prune(element: ElementTree.Element, used: set[str]) -> None:
    kept: list[ElementTree.Element] = []
    for child in element:
        if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
            continue
        _prune(child, used)
        _plain(child)
        name = child.get("id", "")
        if name not in used:
            child.attrib.pop("id", None)
        child.tail = None
        if name.startswith(TOOLTIP):
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = name.removeprefix(TOOLTIP)
            child.insert(0, title)
            kept.append(child)
            continue
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


def _inline(root: ElementTree.Element) -> None:
    """Put a mark that is drawn once where it is drawn, instead of referring to it."""
    uses: dict[str, list[ElementTree.Element]] = {}
    for use in root.iter(f"{{{_SVG}}}use"):
        uses.setdefault(use.attrib[_HREF].removeprefix("#"), []).append(use)
    for parent in list(root.iter()):
        for defs in parent.findall(f"{{{_SVG}}}defs"):
            for mark in list(defs):
                name = mark.attrib.pop("id", "")
                if len(uses.get(name, ())) != 1:
                    mark.set("id", name)
                    continue
                (use,) = uses[name]
                del use.attrib[_HREF]
                x, y = use.attrib.pop("x", "0"), use.attrib.pop("y", "0")
                use.tag = mark.tag
                use.attrib.update(mark.attrib, transform=f"translate({x} {y})")
                defs.remove(mark)
            if not len(defs):
                parent.remove(defs)


def _plain(element: ElementTree.Element) -> None:
    """Turn the style of an element into attributes, and shorten its coordinates."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, colon, value = (part.strip() for part in declaration.partition(":"))
        if colon and _DEFAULTS.get(name) != value:
            element.set(name, value.removesuffix("px") if name == "font-size" else value)
    for name in _COORDINATES:
        if name in element.attrib:
            element.set(name, _FINE.sub(r"\1", " ".join(element.attrib[name].split())))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if element.get("text-anchor") == "start":
        del element.attrib["text-anchor"]


def _is_nothing(element: ElementTree.Element) -> bool:
    """Whether it is an empty list of definitions, or a path with neither stroke nor fill."""
    if element.tag == f"{{{_SVG}}}defs":
        return len(element) == 0
    return (
        element.get("fill") == "none" and "d" in element.attrib and "stroke" not in element.attrib
    )


def _continues(line: ElementTree.Element, part: ElementTree.Element) -> bool:
    """Whether two paths in a row are alike, so that one element can hold both."""
    if line.tag != part.tag or "d" not in line.attrib or "d" not in part.attrib:
        return False
    first, second = ({**each.attrib, "d": ""} for each in (line, part))
    clear = any("opacity" in name for name in first)
    return first == second and first.get("fill") == "none" and not clear
