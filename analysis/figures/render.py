"""Figures as files: SVG to stand in a page, and SVG, PDF and PNG for a paper."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures.style import PAPER

#: Dots an inch of exported bitmaps.
DPI = 300

#: Attributes that place things. A thousandth of a point is finer than any screen or printer.
_PLACES = re.compile(r' (?:d|x|y|transform)="[^"]*"')
_FINE = re.compile(r"(\.\d{3})\d+")
_REFERENCE = re.compile(r'href="#([^"]+)"|url\(#([^)]+)\)')


def svg(figure: Figure) -> str:
    """The ``<svg>`` element alone, to be put into a page among others: text stays text.

    Equal figures give equal text. Ids are left only where something refers to them, and begin
    with a digest of the drawing, so that two figures of one page cannot share one.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # matplotlib's style sheet would apply to the whole page; its two rules are inherited as well.
    text = re.sub(r"\s*<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>", "", text, count=1)
    text = _PLACES.sub(lambda match: _FINE.sub(r"\1", match[0]), text)
    text = text.replace("<svg", '<svg stroke-linejoin="round" stroke-linecap="butt"', 1)
    used = {first or second for first, second in _REFERENCE.findall(text)}
    prefix = f"f{hashlib.sha256(text.encode()).hexdigest()[:8]}-"
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'href="#', f'href="#{prefix}', text)
    text = re.sub(r"url\(#", f"url(#{prefix}", text)
    return re.sub(r"\n\s*", "\n", text)


def export(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.svg``, ``name.pdf`` and ``name.png`` (300 dpi, on white); returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for kind in ("svg", "pdf", "png")]
    paths[0].write_text('<?xml version="1.0" encoding="utf-8"?>\n' + svg(figure), encoding="utf-8")
    figure.savefig(paths[1], transparent=True, metadata={"CreationDate": None})
    figure.savefig(paths[2], dpi=DPI, facecolor=PAPER, metadata={"Software": None})
    return paths
