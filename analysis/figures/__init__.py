"""The figures, drawn from the records.

Every module of this folder is one figure. It has

* ``ID``: its name in templates;
* ``draw(records, lang)``: a matplotlib figure or a ``Diagram``, in ``"zh"`` or ``"en"``;
* ``runs(records)``: ids of the records that it shows;
* ``alt(records, lang)``: the text alternative, for readers who cannot see the figure.

``draw`` and ``alt`` raise ``NothingToDraw`` if no run of the figure exists. If some runs are
missing, the figure shows the others and names the missing networks below the panels. The words of
a figure are in ``templates/figures/<ID>.toml``. To add a figure, add these two files.
"""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
from types import ModuleType

# matplotlib reads this on import. Jupyter and Colab set a backend that exists only there.
os.environ["MPLBACKEND"] = "agg"

from analysis.figures.common.estimates import NothingToDraw

__all__ = ["NothingToDraw", "figures"]


@functools.cache
def figures() -> dict[str, ModuleType]:
    """Every figure's module by id, in the order of the file names."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {module.ID: module for module in modules}
