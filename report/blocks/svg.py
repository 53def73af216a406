"""A drawing of the analysis made fit to stand in the page."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIZE = re.compile(r'width="([\d.]+)pt" height="[\d.]+pt"')


def for_page(svg: str, prefix: str, inks: Mapping[str, str]) -> str:
    """A drawing coloured as the page is, as wide as fits, with ids of its own.

    Args:
        svg: as the analysis wrote it.
        prefix: of its ids.
        inks: the colours to replace, by the name of the page's own (``ink`` is ``--ink``).
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
