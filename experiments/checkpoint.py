"""Where an interrupted run goes on: weights, optimiser and history after an epoch.

Written atomically, checked by hash before it is read, read with ``weights_only``, and gone once
the record is in.
"""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from experiments.probes import GradientProbe
from experiments.record import (
    Divergence,
    Epoch,
    Evaluation,
    GainProbe,
    GradientNorms,
    write_atomically,
)

FOLDER = Path(__file__).parent / "checkpoints"
#: A run that ends sooner is quicker done again than saved.
EVERY_SECONDS = 20.0


@dataclass
class Trained:
    """What training has so far besides weights and optimiser state; a checkpoint keeps it too."""

    history: list[Epoch] = field(default_factory=list)
    gains: list[GainProbe] = field(default_factory=list)
    gradient_norms: GradientNorms | None = None
    validation: Evaluation | None = None  # of the last epoch
    divergence: Divergence | None = None
    seconds: float = 0.0
    steps: int = 0
    images: int = 0


class Checkpoint:
    """The checkpoint of one run, tied to its fingerprint."""

    def __init__(self, path: Path, fingerprint: str, every: float = EVERY_SECONDS) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._every = every
        self._saved_at = time.monotonic()
        self._state = self._load()

    @property
    def exists(self) -> bool:
        """Whether there is one for this very run."""
        return self._state is not None

    def _load(self) -> dict[str, Any] | None:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        digest, body = raw[:64], raw[64:]
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None  # damaged: the run starts anew
        state: dict[str, Any] = torch.load(io.BytesIO(body), weights_only=True, map_location="cpu")
        return state if state["fingerprint"] == self._fingerprint else None

    def save(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        gradients: GradientProbe,
        trained: Trained,
    ) -> None:
        """Save after an epoch, unless the last save is recent."""
        if time.monotonic() - self._saved_at < self._every:
            return
        body = io.BytesIO()
        torch.save(
            {
                "fingerprint": self._fingerprint,
                "net": net.state_dict(),
                "optimizer": optimizer.state_dict(),
                "gradients": gradients.state(),
                "history": [entry.model_dump() for entry in trained.history],
                "gains": [probe.model_dump() for probe in trained.gains],
                "seconds": trained.seconds,
                "steps": trained.steps,
                "images": trained.images,
            },
            body,
        )
        data = body.getvalue()
        write_atomically(self._path, hashlib.sha256(data).hexdigest().encode() + data)
        self._saved_at = time.monotonic()

    def restore(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        gradients: GradientProbe,
        trained: Trained,
    ) -> int:
        """Put everything back; returns how many epochs are done."""
        state = self._state
        assert state is not None
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        gradients.restore(state["gradients"])
        trained.history = [Epoch.model_validate(entry) for entry in state["history"]]
        trained.gains = [GainProbe.model_validate(probe) for probe in state["gains"]]
        trained.seconds, trained.images = state["seconds"], state["images"]
        trained.steps = state["steps"]
        self._state = None  # free the memory
        return len(trained.history)

    def remove(self) -> None:
        """Remove it: the record is in."""
        self._path.unlink(missing_ok=True)
