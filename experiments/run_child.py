"""The process of one run: it trains, writes the record, and tells its parent how it goes."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from typing import Any

from experiments.acquire import DataError
from experiments.job import Job
from experiments.record import RESULTS, Record, write
from experiments.stopping import end_with_parent
from experiments.storage import explain


def run_child(job: Job, parent: Connection) -> None:
    """Do the job; send ``(kind, content)`` messages, the last of kind ``done``, ``error`` or
    ``unwritable``."""
    end_with_parent()
    last = 0.0

    def tell(kind: str, content: Any) -> None:
        try:
            parent.send((kind, content))
        except OSError:
            os._exit(1)  # the parent is gone

    def on_step(done: int, total: int, rate: float) -> None:
        nonlocal last
        if time.monotonic() - last > 0.2 or done == total:
            last = time.monotonic()
            tell("step", (done, total, rate))

    try:
        from experiments import data
        from experiments.run import execute

        record, checkpoint = execute(
            job,
            data.load(job.config.dataset),
            on_step=on_step,
            on_epoch=lambda epoch: tell("epoch", epoch),
            on_note=lambda text: tell("note", text),
        )
    except MemoryError:
        return tell("error", "out of memory before training began")
    except (OSError, ImportError, DataError) as error:
        return tell("error", str(error))
    try:
        write(record, RESULTS / job.profile)
    except OSError as error:
        return tell("unwritable", explain(error))
    checkpoint.remove()
    tell("done", summary(record))


def summary(record: Record) -> dict[str, Any]:
    """What the display shows of a finished run."""
    return {
        "status": record.status,
        "reason": record.reason,
        "accuracy": record.test.accuracy if record.test else None,
        "step": record.divergence.step if record.divergence else None,
        "seconds": record.timing.wall_seconds,
    }
