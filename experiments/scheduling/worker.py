"""The process of one run: it trains, writes the record, and reports to its supervisor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from experiments.datasets.download import DataError
from experiments.record import RESULTS, Record, write
from experiments.support.files import explain
from experiments.support.signals import end_with_parent
from experiments.training.state import Job

if TYPE_CHECKING:
    from experiments.datasets.splits import Images
    from experiments.training.checkpoint import Checkpoint


def work(job: Job, supervisor: Connection) -> None:
    """Do the job and send ``(kind, content)`` messages. The last one is of kind ``done``,
    ``error``, ``split`` or ``unwritable``."""
    end_with_parent()

    def tell(kind: str, content: Any) -> None:
        try:
            supervisor.send((kind, content))
        except OSError:
            os._exit(1)  # the supervisor is gone

    def restart_with_smaller_batches(micro_batches: int) -> None:
        tell("split", micro_batches)
        os._exit(0)  # after running out of memory the process is in an unknown state

    try:
        from experiments.datasets import splits

        images = splits.load(job.config.dataset)
        record, checkpoint = train(job, images, tell, 0.2, restart_with_smaller_batches)
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
    """Do the job (``run.execute``). ``tell`` gets a message for each epoch, each note, and for
    steps, at most one every ``pause`` seconds."""
    from experiments.training.run import execute

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
    """What is shown of a finished run."""
    return {
        "status": record.status,
        "reason": record.reason,
        "accuracy": record.test.accuracy if record.test else None,
        "step": record.divergence.step if record.divergence else None,
        "seconds": record.timing.wall_seconds,
    }
