"""Diagrams of networks: SVG templates of ``templates/diagrams``, filled in."""

from __future__ import annotations

import functools
from typing import IO, Any

import jinja2

from analysis.figures.common import inks, theme
from analysis.figures.common.text import TEMPLATES

#: Points an inch.
POINTS = 72


@functools.cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES / "diagrams")
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


class Diagram:
    """A diagram of full width, written like a matplotlib figure.

    Attributes:
        svg: the drawing, in points, transparent, with the inks of ``inks``.
    """

    def __init__(self, template: str, height: float, **values: object) -> None:
        """Draw a template of a height in inches, which gets ``values`` by name."""
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
        """Width and height."""
        return self._size

    def savefig(
        self,
        file: IO[Any],
        *,
        format: str,
        dpi: float = 300,
        facecolor: str = "",
        **options: object,
    ) -> None:
        """Write it as ``svg``, ``png`` or ``pdf``, into a text file or a binary one.

        Args:
            file: open for writing.
            format: of the three.
            dpi: of a PNG.
            facecolor: behind a PNG; transparent if empty.
            options: of matplotlib's that mean nothing here.
        """
        if format == "svg":
            try:
                file.write(self.svg)
            except TypeError:
                file.write(self.svg.encode())
        elif format == "png":
            import resvg_py

            image = resvg_py.svg_to_bytes(
                svg_string=self.svg, dpi=dpi, background=facecolor or None
            )
            file.write(bytes(image))
        elif format == "pdf":
            import weasyprint

            width, height = (POINTS * side for side in self._size)
            page = f"@page {{ size: {width}pt {height}pt; margin: 0 }} svg {{ display: block }}"
            html = f"<style>{page} body {{ margin: 0 }}</style>{self.svg}"
            file.write(weasyprint.HTML(string=html).write_pdf())
        else:
            raise ValueError(f"a diagram can be saved as svg, png or pdf, not {format}")
