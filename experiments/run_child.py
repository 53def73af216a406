"""The process of one run: it trains, writes the record, and tells its parent how it goes."""

from __future__ import annotations

import signal
import time
from multiprocessing.connection import Connection
from typing import Any

from experiments.job import Job
from experiments.record import Record


def run_child(job: Job, parent: Connection) -> None:
    """Do the job; send ``(kind, content)`` messages, the last of kind ``done`` or ``error``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from experiments import data
    from experiments.acquire import DataError
    from experiments.record import RESULTS, Epoch, write
    from experiments.run import execute

    last = 0.0

    def on_step(done: int, total: int, rate: float) -> None:
        nonlocal last
        if time.monotonic() - last > 0.2 or done == total:
            last = time.monotonic()
            parent.send(("step", (done, total, rate)))

    def on_epoch(epoch: Epoch) -> None:
        parent.send(("epoch", epoch))

    try:
        images = data.load(job.config.dataset)
        record, checkpoint = execute(job, images, on_step=on_step, on_epoch=on_epoch)
        write(record, RESULTS / job.profile)
        checkpoint.remove()
    except (OSError, DataError) as error:
        parent.send(("error", str(error)))
        return
    parent.send(("done", summary(record)))


def summary(record: Record) -> dict[str, Any]:
    """What the display shows of a finished run."""
    return {
        "status": record.status,
        "reason": record.reason,
        "accuracy": record.test.accuracy if record.test else None,
        "step": record.divergence.step if record.divergence else None,
        "seconds": record.timing.wall_seconds,
    }
