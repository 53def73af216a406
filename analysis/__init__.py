"""From records to statistics, findings, tables and figures. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def frame(profile: str = "standard", *, epochs: bool = False) -> pd.DataFrame:
    """The runs of a profile or of a folder of records as a table, one row per run.

    Args:
        profile: a profile's name (``quick-fashionmnist``), or the path of a folder.
        epochs: one row per epoch instead.

    Raises:
        UsageError: there is no such folder.
    """
    from analysis import frames
    from analysis.records import Records
    from experiments.record import RESULTS
    from models.errors import UsageError

    folder = RESULTS / profile if Path(profile).name == profile else Path(profile).expanduser()
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of records")
    records = Records.load(folder)
    return frames.epochs(records) if epochs else frames.runs(records)
