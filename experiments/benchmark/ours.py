"""Our training, as `make all` does it: the real run, from configuration to record."""

from __future__ import annotations

import math
from multiprocessing.synchronize import Barrier

from experiments.benchmark.work import Measured, Work
from experiments.data import Images
from experiments.job import Job
from experiments.record import Epoch
from experiments.run import execute


def run(work: Work, images: Images, threads: int, start: Barrier) -> Measured:
    """Two epochs of the same steps; the second counts. ``start``: the second begins in all
    processes at once.

    Raises:
        RuntimeError: the run failed or diverged.
    """
    changes = {
        "train_images": work.images,
        "validation_images": 2,  # the least that batch normalisation takes
        "test_images": 2,
        "epochs": 2,
    }
    config = work.config.model_copy(update=changes)

    def on_epoch(entry: Epoch) -> None:
        if entry.epoch == 1:
            start.wait()

    job = Job("benchmark", config, "benchmark", threads)
    record, _ = execute(job, images, on_epoch=on_epoch, checkpoint_seconds=math.inf)
    if record.status != "finished":
        raise RuntimeError(record.reason or record.status)
    return Measured(record.history[-1].seconds, record.timing.peak_memory_bytes)
