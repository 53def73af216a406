"""The tables of the report.

A table is a function with the decorator ``register`` in any module of this folder; its columns'
heads are words of ``templates/tables.toml``.
"""

import importlib
import pkgutil

from analysis.tables.base import TABLES, Cell, Column, Found, Table

__all__ = ["Cell", "Column", "Found", "Table", "tables"]


def tables(found: Found) -> dict[str, Table]:
    """Every table by id, in alphabetical order."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    made = {item.id: item for item in (make(found) for make in TABLES)}
    return dict(sorted(made.items()))
