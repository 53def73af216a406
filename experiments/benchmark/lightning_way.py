"""PyTorch Lightning with the original's DataLoader, in ``bf16-mixed`` or, where the device has no
bf16 arithmetic, in ``32-true``.

``barebones=True`` is its documented setting for raw speed: no logger, checkpoints, progress bar,
summary or sanity check.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import lightning
import torch
import torch.nn.functional as F
from torch import nn

import models
from experiments.benchmark.original_way import Batch, loader
from experiments.benchmark.work import Clock, Measured, Work
from experiments.data import Images
from experiments.machine import computes_in_bf16, pick_device


class Classifier(lightning.LightningModule):
    """A network under cross-entropy and Adam."""

    def __init__(self, net: nn.Module, clock: Clock) -> None:
        super().__init__()
        self.net = net
        self.clock = clock

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """The loss of a batch."""
        images, labels = batch
        return F.cross_entropy(self.net(images), labels)

    def on_train_batch_end(self, *_: Any) -> None:
        """A step is done."""
        self.clock.tick()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, as the original's."""
        return torch.optim.Adam(self.parameters())


def run(work: Work, images: Images, workers: int) -> Measured:
    """Train for the steps, with so many processes that load."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")  # advice on more workers
    device = pick_device()
    lightning.seed_everything(work.config.seed, verbose=False)
    clock = Clock(work, device)
    classifier = Classifier(models.build(work.config.network, **work.config.options), clock)
    trainer = lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=1,
        precision="bf16-mixed" if computes_in_bf16(device) else "32-true",
        max_epochs=1,
        barebones=True,
    )
    trainer.fit(classifier, loader(work, images, workers))
    return clock.measured()
