"""The callback point of a run: what a tracker, a log or a store of weights is told.

A callback must not change the network or draw random numbers: results do not depend on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.record import Epoch, Record

if TYPE_CHECKING:
    import torch
    from torch import nn


class Callback:
    """Every method does nothing here; a subclass overrides those that it needs."""

    def on_epoch(self, epoch: Epoch, losses: torch.Tensor) -> None:
        """After the validation of an epoch; the training loss of each step, ``(steps,)``."""

    def on_trained(self, net: nn.Module) -> None:
        """The network is trained and evaluated; its weights are those that were judged."""

    def on_error(self, error: BaseException) -> None:
        """An attempt failed; it may begin anew with smaller batches."""

    def on_record(self, record: Record) -> None:
        """The run's record is made, but not written."""
