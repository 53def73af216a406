"""Adapt a drawing of the analysis to the page."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIZE = re.compile(r'width="([\d.]+)pt" height="[\d.]+pt"')


def for_page(svg: str, prefix: str, inks: Mapping[str, str]) -> str:
    """A drawing with the page's colours, a maximum width, and unique ids.

    Args:
        svg: the drawing of the analysis.
        prefix: prefix of its ids.
        inks: colours to replace, by name of the page's variable (``ink`` for ``--ink``).
    """
    svg = re.sub(r' id="([^"]+)"', rf' id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = _SIZE.sub(
        lambda size: f'style="max-width:{float(size[1]) / 72 * 6.75:.3g}rem"', svg, count=1
    )
    for name, ink in inks.items():
        svg = re.sub(re.escape(ink), f"var(--{name})", svg, flags=re.IGNORECASE)
    return svg
