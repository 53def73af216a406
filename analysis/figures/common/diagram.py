"""Diagrams of networks, rendered from the SVG templates in ``templates/diagrams``."""

from __future__ import annotations

import functools
from typing import IO

import jinja2

from analysis.figures.common import inks, theme
from analysis.figures.common.text import TEMPLATES

#: Points per inch.
POINTS = 72


@functools.cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES / "diagrams")
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


class Diagram:
    """A diagram of full width, with the methods of a matplotlib figure that ``render`` uses.

    Attributes:
        svg: the drawing, in points, transparent, in the colours of ``inks``.
    """

    def __init__(self, template: str, height: float, **values: object) -> None:
        """Render a template with ``values``; ``height`` in inches."""
        self._size = theme.WIDTH, height
        shared: dict[str, object] = {
            "width": theme.WIDTH * POINTS,
            "height": height * POINTS,
            "fonts": ", ".join(f"'{family}'" for family in theme.families()),
            "type_size": theme.SIZE,
            "ink": inks.INK,
            "ink2": inks.INK_2,
            "paper": inks.PAPER,
            "neutral": theme.NEUTRAL,
        }
        environment = _environment()
        environment.globals.update(shared)
        self.svg = environment.get_template(f"{template}.svg.j2").render(values).strip()

    def get_size_inches(self) -> tuple[float, float]:
        """Width and height in inches."""
        return self._size

    def savefig(
        self,
        file: IO[bytes],
        *,
        format: str,
        dpi: float = 300,
        facecolor: str = "",
        **options: object,
    ) -> None:
        """Write the diagram as ``svg`` or ``png``; other options of matplotlib's are ignored."""
        if format == "svg":
            file.write(self.svg.encode())
        else:
            import resvg_py

            image = resvg_py.svg_to_bytes(
                svg_string=self.svg, dpi=dpi, background=facecolor or None
            )
            file.write(bytes(image))
