"""The figures, drawn from the records.

Every module of this folder is one figure, named after it. It has

* ``VARIANTS``: the networks whose runs it shows (without it, none), or ``runs(evidence)``: the ids
  of the records that it depends on;
* ``draw(evidence, words)``: a ``Sheet`` (a matplotlib figure) or a ``Diagram``, with its text
  alternative ``alt``. It may raise ``NothingToDraw``.

If some runs are missing, the figure shows the
others and names the missing networks below the panels. The words of a figure are in
``templates/figures/<id>.toml``. To add a figure, add these two files.
"""

import functools
import importlib
import os
import pkgutil
from dataclasses import dataclass
from types import ModuleType

# matplotlib reads this on import. Jupyter and Colab set a backend that exists only there.
os.environ["MPLBACKEND"] = "agg"

from analysis.evidence import Evidence
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.estimates import NothingToDraw
from analysis.figures.common.text import Lang, Words
from analysis.figures.common.theme import Sheet
from analysis.records import Records

__all__ = ["NothingToDraw", "figures"]


@dataclass(frozen=True)
class FigureModule:
    """A figure by its id."""

    id: str
    module: ModuleType

    def runs(self, records: Records) -> tuple[str, ...]:
        """Ids of the records that the figure depends on."""
        evidence = Evidence(records)
        if hasattr(self.module, "runs"):
            return tuple(self.module.runs(evidence))
        return evidence.ids(getattr(self.module, "VARIANTS", ()))

    def draw(self, records: Records, lang: Lang) -> Sheet | Diagram:
        """The drawing.

        Raises:
            NothingToDraw: no run of the figure exists.
        """
        evidence, variants = Evidence(records), getattr(self.module, "VARIANTS", ())
        if variants and not evidence.present(variants):
            raise NothingToDraw
        drawn: Sheet | Diagram = self.module.draw(evidence, Words(self.id, lang))
        return drawn


@functools.cache
def figures() -> dict[str, FigureModule]:
    """Every figure by id, in the order of the file names."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.ispkg)
    found = {n.replace("_", "-"): importlib.import_module(f"{__name__}.{n}") for n in names}
    return {name: FigureModule(name, module) for name, module in found.items()}
