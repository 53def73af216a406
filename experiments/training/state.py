"""A run to train, and what training has produced so far. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.config import Config
from experiments.record import Divergence, Epoch, Evaluation, Fit

if TYPE_CHECKING:
    from experiments.training.probes import Probe


@dataclass(frozen=True)
class Extras:
    """What a run writes besides its record and its log.

    Attributes:
        save: keep the trained weights.
        tracker: ``tensorboard``, or None.
    """

    save: bool = False
    tracker: str | None = None


NO_EXTRAS = Extras()


@dataclass(frozen=True)
class Job:
    """A run to train.

    Attributes:
        id: the run's id.
        config: its configuration.
        profile: names the folder of its record.
        threads: CPU threads that it may use.
        micro_batches: number of parts of each batch, over which gradients are accumulated.
        extras: what it writes besides its record.
    """

    id: str
    config: Config
    profile: str
    threads: int
    micro_batches: int = 1
    extras: Extras = NO_EXTRAS


@dataclass
class Trained:
    """Results of a run besides weights and optimiser state; also part of a checkpoint."""

    history: list[Epoch] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    validation: Evaluation | None = None  # of the last epoch
    test: Evaluation | None = None
    fit: Fit | None = None  # to the training images
    divergence: Divergence | None = None
    micro_batches: int = 1
    seconds: float = 0.0
    evaluation_seconds: float = 0.0
    probe_seconds: float = 0.0
    steps: int = 0
    images: int = 0
