"""Arguments that more than one command has: what a run leaves besides its record."""

from __future__ import annotations

import argparse
import importlib.util
import sys

from experiments.training.state import Extras
from models.errors import UsageError

TRACKERS = ("tensorboard",)


def add_extras(parser: argparse.ArgumentParser) -> None:
    """Add ``--save`` and ``--log``."""
    parser.add_argument("--save", action="store_true", help="keep the trained weights")
    parser.add_argument("--log", choices=TRACKERS, help="also write the files of a tracker")


def chosen_extras(save: bool, tracker: str | None) -> Extras:
    """What was asked for.

    Raises:
        UsageError: the tracker is not installed.
    """
    if tracker is not None and importlib.util.find_spec(tracker) is None:
        raise UsageError(
            f"--log {tracker}: not installed; run {sys.executable} -m pip install {tracker}."
        )
    return Extras(save, tracker)
