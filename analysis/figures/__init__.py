"""The figures, drawn from the records.

Every figure is one module with

* ``ID``: the name by which templates call for it;
* ``draw(records, findings, lang)``: the matplotlib figure, its labels in ``"zh"`` or ``"en"``;
* ``runs(records)``: ids of the records that it shows;
* ``alt(records, findings, lang)``: what it shows on these records, in words, for those who cannot
  see it.

``draw`` and ``alt`` raise ``NothingToDraw`` where no run of the figure exists; with some missing
they draw what there is and name the rest below the panels. Adding a figure is adding a module and
its name to ``NAMES``.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from analysis.figures.data import NothingToDraw

__all__ = ["NothingToDraw", "figures"]

#: Modules in the order of the report.
NAMES = (
    "resize",
    "densenet",
    "senet",
    "accuracy",
    "confusion",
    "depth",
    "residual",
    "operators",
    "gains",
    "gradients",
    "pareto",
    "se_ranges",
    "se_weights",
    "softmax",
)


@functools.cache
def figures() -> dict[str, ModuleType]:
    """Every figure's module by id."""
    modules = [importlib.import_module(f"analysis.figures.{name}") for name in NAMES]
    return {module.ID: module for module in modules}
