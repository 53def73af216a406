"""The figures, drawn from the records.

Every module of this folder is one figure. It has

* ``ID``: the name by which templates call for it;
* ``draw(records, lang)``: a matplotlib figure or a ``Diagram``, in ``"zh"`` or ``"en"``;
* ``runs(records)``: ids of the records that it shows;
* ``alt(records, lang)``: what it shows on these records, in words, for those who cannot see it.

``draw`` and ``alt`` raise ``NothingToDraw`` where no run of the figure exists; with some missing
they draw what there is and name the rest below the panels. Its words are
``templates/figures/<ID>.toml``. Adding a figure is adding these two files.
"""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
from types import ModuleType

# matplotlib reads this when it is loaded. Jupyter and Colab set a backend that exists only there.
os.environ["MPLBACKEND"] = "agg"

from analysis.figures.common.estimates import NothingToDraw

__all__ = ["NothingToDraw", "figures"]


@functools.cache
def figures() -> dict[str, ModuleType]:
    """Every figure's module by id, in the order of the file names."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {module.ID: module for module in modules}
