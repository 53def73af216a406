"""Diagrams of networks, rendered from the SVG templates in ``templates/diagrams``."""

from typing import IO

import jinja2

from analysis.figures.common import theme
from analysis.figures.common.text import TEMPLATES

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES / "diagrams"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
)
_TEMPLATES.globals.update(
    width=72 * theme.WIDTH,
    fonts=", ".join(f"'{family}'" for family in theme.families()),
    type_size=theme.SIZE,
    ink=theme.INK,
    ink2=theme.INK_2,
    paper=theme.PAPER,
    neutral=theme.NEUTRAL,
)


class Diagram:
    """A diagram of full width, with the methods of a matplotlib figure that ``render`` uses.

    Attributes:
        alt: the text alternative, for readers who cannot see the diagram.
        svg: the drawing, in points, transparent, in the colours of ``theme``.
    """

    def __init__(self, template: str, height: float, *, alt: str, **values: object) -> None:
        """Render a template with ``values``; ``height`` in inches."""
        self.alt = alt
        self._size = theme.WIDTH, height
        made = _TEMPLATES.get_template(f"{template}.svg.j2")
        self.svg = made.render(values, height=72 * height).strip()

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
