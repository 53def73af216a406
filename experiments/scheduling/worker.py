"""The process of one run: train, write the record, and report to the supervisor."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from experiments.datasets.download import DataError
from experiments.record import RESULTS, Record, write
from experiments.scheduling.log import Log, path_of
from experiments.support.files import write_atomically
from experiments.support.signals import end_with_parent
from experiments.training.callbacks import Callback
from experiments.training.state import Job
from models.cli import explain

if TYPE_CHECKING:
    from torch import nn

    from experiments.datasets.splits import Images
    from experiments.training.checkpoint import Checkpoint


class Weights(Callback):
    """Keeps a copy of the trained weights until the record is written.

    Attributes:
        content: a safetensors file; None unless the run has finished.
    """

    content: bytes | None = None

    def on_trained(self, net: nn.Module) -> None:
        """Take a copy."""
        from models import weights

        self.content = weights.serialise(net)


def work(job: Job, supervisor: Connection) -> None:
    """Train a run and send ``(kind, content)`` messages. The last one is of kind ``done``,
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

    weights = Weights()
    title = f"{job.id}: {job.config.model_dump_json()}"
    log = Log(path_of(job.profile, job.id), title, go_on=job.micro_batches > 1)
    callbacks: list[Callback] = [log]
    try:
        from experiments.datasets import splits

        if job.extras.save:
            callbacks.append(weights)
        if job.extras.tracker == "tensorboard":
            from experiments.scheduling.tensorboard import TensorBoard

            callbacks.append(TensorBoard(job))
        images = splits.load(job.config.dataset)
        record, checkpoint = train(job, images, tell, 0.2, restart_with_smaller_batches, callbacks)
    except Exception as error:
        log.on_error(error)
        if not isinstance(error, MemoryError | OSError | ImportError | DataError):
            raise
        out = isinstance(error, MemoryError)
        reason = "out of memory before training began" if out else error
        return tell("error", f"{reason} (log: {path_of(job.profile, job.id)})")
    if record.reason is not None:
        record = record.model_copy(update={"reason": f"{record.reason} (log: {job.id}.log)"})
    kept = path_of(job.profile, job.id).with_suffix(".safetensors")
    try:
        if weights.content is None:
            kept.unlink(missing_ok=True)  # of the run before
        else:
            write_atomically(kept, weights.content)
            sha256 = hashlib.sha256(weights.content).hexdigest()
            record = record.model_copy(update={"weights_sha256": sha256})
        write(record, RESULTS / job.profile)
    except OSError as error:
        return tell("unwritable", explain(error))
    checkpoint.remove()
    tell("done", record)


def train(
    job: Job,
    images: Images,
    tell: Callable[[str, Any], None],
    pause: float,
    on_split: Callable[[int], None] = lambda _: None,
    callbacks: Sequence[Callback] = (),
) -> tuple[Record, Checkpoint]:
    """Train a run (``run.execute``). ``tell`` gets a message for each epoch and each note, and for
    steps at most one every ``pause`` seconds."""
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
        callbacks=callbacks,
    )
