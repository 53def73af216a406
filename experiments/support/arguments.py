"""Command-line arguments that several commands share."""

import argparse
import importlib.util
import sys
from pathlib import Path

from experiments.datasets import DATASETS
from experiments.training.state import Extras
from models.errors import UsageError

TRACKERS = ("tensorboard",)


def add_study(parser: argparse.ArgumentParser, *, results: bool = False) -> None:
    """Add ``--profile`` and ``--dataset``, and with ``results`` the folder of the records."""
    parser.add_argument("--profile", help="a profile of study.toml (quick; with a GPU: full)")
    parser.add_argument("--dataset", help=f"{', '.join(DATASETS)} (MNIST)")
    if results:
        parser.add_argument(
            "--results", type=Path, metavar="DIR", help="the records (experiments/results/PROFILE)"
        )


def add_extras(parser: argparse.ArgumentParser) -> None:
    """Add ``--save`` and ``--log``."""
    parser.add_argument("--save", action="store_true", help="keep the trained weights")
    parser.add_argument("--log", choices=TRACKERS, help="also write the files of a tracker")


def chosen_extras(save: bool, tracker: str | None) -> Extras:
    """The extras for the values of ``--save`` and ``--log``.

    Raises:
        UsageError: the tracker is not installed.
    """
    if tracker is not None and importlib.util.find_spec(tracker) is None:
        raise UsageError(
            f"--log {tracker}: not installed; run {sys.executable} -m pip install {tracker}."
        )
    return Extras(save, tracker)
