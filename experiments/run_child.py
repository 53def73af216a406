"""The process of one run: it trains, writes the record, and tells its parent how it goes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from experiments.job import Job
from experiments.record import RESULTS, Record, write

if TYPE_CHECKING:
    from experiments.checkpoint import Checkpoint
    from experiments.data import Images


def run_child(job: Job, parent: Connection) -> None:
    """Do the job; send ``(kind, content)`` messages, the last of kind ``done`` or ``error``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from experiments import data
    from experiments.acquire import DataError

    try:
        images = data.load(job.config.dataset)
        record, checkpoint = train(job, images, lambda *message: parent.send(message), 0.2)
        write(record, RESULTS / job.profile)
        checkpoint.remove()
    except (OSError, DataError) as error:
        parent.send(("error", str(error)))
        return
    parent.send(("done", summary(record)))


def train(
    job: Job, images: Images, tell: Callable[[str, Any], None], pause: float
) -> tuple[Record, Checkpoint]:
    """Do the job (``run.execute``), telling of epochs (kind ``epoch``) and, at most every ``pause``
    seconds, of steps (kind ``step``)."""
    from experiments.run import execute

    last = 0.0

    def on_step(done: int, total: int, rate: float) -> None:
        nonlocal last
        if time.monotonic() - last > pause or done == total:
            last = time.monotonic()
            tell("step", (done, total, rate))

    return execute(job, images, on_step=on_step, on_epoch=lambda epoch: tell("epoch", epoch))


def summary(record: Record) -> dict[str, Any]:
    """What the display shows of a finished run."""
    return {
        "status": record.status,
        "reason": record.reason,
        "accuracy": record.test.accuracy if record.test else None,
        "step": record.divergence.step if record.divergence else None,
        "seconds": record.timing.wall_seconds,
    }
