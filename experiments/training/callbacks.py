"""Callbacks of a run, for a tracker, a log or saved weights.

Results must not depend on callbacks: they neither change the network nor draw random numbers.
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
        """An epoch is trained and validated; ``losses`` are those of each step, ``(steps,)``."""

    def on_trained(self, net: nn.Module) -> None:
        """The network is trained and evaluated; it has the weights that were evaluated."""

    def on_error(self, error: BaseException) -> None:
        """Training failed; it may restart with smaller batches."""

    def on_record(self, record: Record) -> None:
        """The run's record exists but is not yet written."""
