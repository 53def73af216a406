"""The log of a run, beside its record: events with times, and the traceback of a failure."""

from __future__ import annotations

import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.record import RESULTS, Epoch, Record
from experiments.training.callbacks import Callback

if TYPE_CHECKING:
    import torch


def path_of(profile: str, run: str) -> Path:
    """The path of a run's log."""
    return RESULTS / profile / f"{run}.log"


class Log(Callback):
    """Writes ``<id>.log`` line by line.

    Args:
        path: the file; its folder exists.
        title: the first line.
        go_on: append to an existing log, for a run that restarts with smaller batches.
    """

    def __init__(self, path: Path, title: str, *, go_on: bool) -> None:
        self._path = path
        self.write(title, mode="a" if go_on else "w")

    def write(self, text: str, mode: str = "a") -> None:
        """Append lines with the time (UTC). A failure is ignored: the record matters more."""
        with suppress(OSError), self._path.open(mode, encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text.rstrip()}\n")

    def on_epoch(self, epoch: Epoch, losses: torch.Tensor) -> None:
        """Write the epoch's losses and accuracy."""
        self.write(
            f"epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}, validation loss "
            f"{epoch.validation_loss:.4f}, accuracy {epoch.validation_accuracy:.2%}, "
            f"learning rate {epoch.learning_rate:.3g}, {epoch.seconds:.1f} s"
        )

    def on_error(self, error: BaseException) -> None:
        """Write the whole traceback."""
        self.write("".join(traceback.format_exception(error)))

    def on_record(self, record: Record) -> None:
        """Write how the run ended."""
        test = f", test accuracy {record.test.accuracy:.2%}" if record.test else ""
        reason = f": {record.reason}" if record.reason else ""
        self.write(f"{record.status}{test}{reason}, {record.timing.wall_seconds:.1f} s")
