"""The process of one run: it trains, writes the record, and tells its parent how it goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from experiments.acquire import DataError
from experiments.job import Job
from experiments.record import RESULTS, Record, write
from experiments.stopping import end_with_parent
from experiments.storage import explain

if TYPE_CHECKING:
    from experiments.checkpoint import Checkpoint
    from experiments.data import Images


def run_child(job: Job, parent: Connection) -> None:
    """Do the job; send ``(kind, content)`` messages, the last of kind ``done``, ``error``,
    ``split`` or ``unwritable``."""
    end_with_parent()

    def tell(kind: str, content: Any) -> None:
        try:
            parent.send((kind, content))
        except OSError:
            os._exit(1)  # the parent is gone

    def begin_anew(pieces: int) -> None:
        tell("split", pieces)
        os._exit(0)  # memory that ran out leaves a process in no state to go on

    try:
        from experiments import data

        record, checkpoint = train(job, data.load(job.config.dataset), tell, 0.2, begin_anew)
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


def train(
    job: Job,
    images: Images,
    tell: Callable[[str, Any], None],
    pause: float,
    on_split: Callable[[int], None] = lambda _: None,
) -> tuple[Record, Checkpoint]:
    """Do the job (``run.execute``), telling of epochs, of what is to note, and of steps, these at
    most every ``pause`` seconds."""
    from experiments.run import execute

    last = 0.0

    def on_step(done: int, total: int, rate: float) -> None:
        nonlocal last
        if time.monotonic() - last > pause or done == total:
            last = time.monotonic()
            tell("step", (done, total, rate))

    return execute(
        job,
        images,
        on_step=on_step,
        on_epoch=lambda epoch: tell("epoch", epoch),
        on_note=lambda text: tell("note", text),
        on_split=on_split,
    )


def summary(record: Record) -> dict[str, Any]:
    """What the display shows of a finished run."""
    return {
        "status": record.status,
        "reason": record.reason,
        "accuracy": record.test.accuracy if record.test else None,
        "step": record.divergence.step if record.divergence else None,
        "seconds": record.timing.wall_seconds,
    }
