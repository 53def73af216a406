"""Drawing the figures: as SVG for the page and the PDF, as PDF and PNG for a paper."""

from __future__ import annotations

import io
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from analysis.figures import NothingToDraw
from report import printing
from report.numbers import LANGS, Lang
from report.svg import lean, size

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.records import Records

#: Bitmaps, in dots an inch.
DPI = 300


@dataclass(frozen=True)
class Drawing:
    """A figure in both languages.

    Attributes:
        svg: with the analysis's own ink colours.
        png: the same as a bitmap.
        alt: what it shows, in words.
    """

    svg: dict[Lang, str]
    png: dict[Lang, bytes]
    alt: dict[Lang, str]


def draw(module: ModuleType, records: Records) -> Drawing:
    """Draw one figure in both languages; all is empty where no run of the figure exists.

    Args:
        module: of ``analysis.figures``.
        records: to draw from.
    """
    made = Drawing({}, {}, {})
    try:
        for lang in LANGS:
            figure = module.draw(records, lang)
            made.svg[lang], made.png[lang] = svg(figure), png(figure)
            made.alt[lang] = module.alt(records, lang)
    except NothingToDraw:
        return Drawing({}, {}, {})
    return made


def svg(figure: Figure) -> str:
    """A figure as SVG, transparent, its text as text; equal figures give equal ones."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return lean(out.getvalue())


def png(figure: Figure) -> bytes:
    """A figure as a bitmap on white."""
    out = io.BytesIO()
    # a higher level of compression takes twice as long and saves a tenth
    options = {"compress_level": 3}
    figure.savefig(out, format="png", dpi=DPI, facecolor="white", pil_kwargs=options)
    return out.getvalue()


def pdf(drawing: str) -> bytes:
    """A PDF as large as an SVG, its text kept and its fonts embedded."""
    width, height = size(drawing)
    style = f"@page {{ size: {width}pt {height}pt; margin: 0 }} body {{ margin: 0 }}"
    image = f'<img src="asset:figure.svg" style="display: block; width: {width}pt" alt=""/>'
    return printing.pdf(f"<style>{style}</style>{image}", {"asset:figure.svg": drawing})
