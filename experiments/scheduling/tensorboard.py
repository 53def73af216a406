"""TensorBoard's event files of a run: ``tensorboard --logdir experiments/tensorboard``."""

from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter

from experiments.record import Epoch, Record
from experiments.training.callbacks import Callback
from experiments.training.state import Job

FOLDER = Path(__file__).parent.parent / "tensorboard"


class TensorBoard(Callback):
    """Losses of each step and epoch, and the test accuracy, as scalars over the steps."""

    def __init__(self, job: Job) -> None:
        self._writer = SummaryWriter(FOLDER / job.profile / job.id)
        self._steps = 0

    def on_epoch(self, epoch: Epoch, losses: torch.Tensor) -> None:
        """Add the loss of each step, and at the last step the epoch's metrics."""
        self._steps = epoch.epoch * len(losses)
        for step, loss in enumerate(losses.tolist(), self._steps - len(losses)):
            self._add("loss/step", loss, step)
        last = self._steps - 1
        self._add("loss/training", epoch.train_loss, last)
        self._add("loss/validation", epoch.validation_loss, last)
        self._add("accuracy/validation", epoch.validation_accuracy, last)
        self._add("learning_rate", epoch.learning_rate, last)

    def on_record(self, record: Record) -> None:
        """Add the test accuracy and write everything out."""
        if record.test is not None:
            self._add("accuracy/test", record.test.accuracy, max(0, self._steps - 1))
        self._writer.close()

    def _add(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)
