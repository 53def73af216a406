"""All runs and all epochs of a folder of records as tidy tables: pandas, CSV, Parquet.

``python -m analysis.frames`` writes ``runs.csv`` (one row per run) and ``epochs.csv`` (one row per
epoch), and both as Parquet if pyarrow is installed.
"""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import schema
from analysis.records import Records
from experiments.record import RESULTS, Record
from experiments.support.arguments import add_study
from experiments.support.files import write_atomically
from models import DEFAULTS
from models.cli import OneLineParser, run
from models.errors import UsageError

#: Parts of a configuration that are added as separate columns.
_NOT_COLUMNS = {"options", "seed", "network"}


def runs(records: Iterable[Record]) -> pd.DataFrame:
    """One row per run: configuration, size, accuracies, losses, times; empty where missing."""
    return pd.DataFrame([_run(record) for record in records]).convert_dtypes()


def epochs(records: Iterable[Record]) -> pd.DataFrame:
    """One row per epoch: the run, its network, variant and seed, and the epoch's numbers."""
    rows = [{**_name(r), **epoch.model_dump()} for r in records for epoch in r.history]
    return pd.DataFrame(rows).convert_dtypes()


def _name(record: Record) -> dict[str, Any]:
    config = record.config
    names = {"run": record.id, "profile": record.profile, "network": config.network}
    return names | {"variant": config.variant, "seed": config.seed}


def _run(record: Record) -> dict[str, Any]:
    config, timing = record.config, record.timing
    row = _name(record) | {"status": record.status}
    row |= config.model_dump(exclude=_NOT_COLUMNS)
    row |= {option: config.options.get(option) for option in DEFAULTS}
    row |= {
        "parameters": record.network.parameters,
        "macs": record.network.macs.torchinfo,
        "macs_at_input": record.network.macs_at_input.torchinfo,
        "epochs_done": len(record.history),
    }
    judged = {"validation": record.validation, "test": record.test}
    for split, found in {**judged, "training": record.train_evaluation}.items():
        row[f"{split}_accuracy"] = found.accuracy if found else None
        row[f"{split}_loss"] = found.loss if found else None
    return row | {
        "diverged_at_step": record.divergence.step if record.divergence else None,
        "reason": record.reason,
        "device": record.environment.device,
        "torch": record.environment.torch,
        "started": timing.started.isoformat(),
        "wall_seconds": timing.wall_seconds,
        "train_seconds": timing.train_seconds,
        "images_per_second": timing.images_per_second,
        "weights_sha256": record.weights_sha256,
    }


def main() -> int:
    """Parse the command line and write the tables; returns the exit status."""
    parser = OneLineParser(prog="python -m analysis.frames", description=__doc__)
    add_study(parser, results=True)
    arguments = parser.parse_args()
    default = schema.folder_of(arguments.profile, arguments.dataset)
    folder: Path = arguments.results or RESULTS / default.name
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    records = Records.load(folder)
    for line in records.refused:
        print(f"error: {line}; left out.", file=sys.stderr)
    out = schema.OUT / folder.resolve().name
    for name, frame in {"runs": runs(records), "epochs": epochs(records)}.items():
        write_atomically(out / f"{name}.csv", frame.to_csv(index=False))
        print(f"{len(frame)} rows -> {out / f'{name}.csv'}")
        if importlib.util.find_spec("pyarrow"):
            data = frame.to_parquet(index=False)
            write_atomically(out / f"{name}.parquet", data)
            print(f"{len(frame)} rows -> {out / f'{name}.parquet'}")
    if not importlib.util.find_spec("pyarrow"):
        print(f"no Parquet: pyarrow is not installed; run {sys.executable} -m pip install pyarrow")
    return 2 if records.refused else 0


if __name__ == "__main__":
    run(main)
