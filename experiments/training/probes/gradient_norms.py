"""Norms of the loss gradient of each layer's weight over the first steps."""

from typing import Any

import torch
from torch import nn

from experiments.record import GradientNorms, significant
from experiments.training.probes import Probe, Subject

#: Gradient norms are taken over this many first steps.
GRADIENT_STEPS = 10


class GradientProbe(Probe):
    """Norm of the loss gradient of each convolution's and linear layer's weight."""

    name = "gradient_norms"

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        layers = [
            (name, module)
            for name, module in subject.net.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        ]
        self._names = [name for name, _ in layers]
        self._weights = [module.weight for _, module in layers]
        self._norms: list[torch.Tensor] = []

    def after_backward(self, step: int) -> None:
        """Store the norms of the first steps, on the device."""
        if step < GRADIENT_STEPS and step == len(self._norms):
            gradients = [w.grad for w in self._weights if w.grad is not None]
            self._norms.append(torch.stack(torch._foreach_norm(gradients)))

    def state_dict(self) -> dict[str, Any]:
        """The norms so far, for a checkpoint."""
        return {"norms": [row.tolist() for row in self._norms]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the norms from a checkpoint."""
        self._norms = [torch.tensor(row) for row in state["norms"]]

    def result(self) -> GradientNorms:
        return GradientNorms(
            steps=list(range(len(self._norms))),
            layers=self._names,
            norms=[[significant(value, 4) for value in row.tolist()] for row in self._norms],
        )


PROBE = GradientProbe
