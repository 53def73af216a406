"""AdamW, and the running average of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from experiments.config import Config

#: Time constant of the running average of the weights, as a share of all steps.
AVERAGED_SHARE = 0.05


class AdamW(torch.optim.AdamW):
    """AdamW (Loshchilov and Hutter 2019); weight decay acts on matrices and kernels, not on biases
    and normalisation."""

    def __init__(self, net: nn.Module, config: Config) -> None:
        weights = list(net.parameters())
        groups = [
            {"params": [w for w in weights if w.dim() >= 2], "weight_decay": config.weight_decay},
            {"params": [w for w in weights if w.dim() < 2], "weight_decay": 0.0},
        ]
        super().__init__(groups, lr=config.learning_rate, fused=True)

    def update(self, learning_rate: float) -> None:
        """Take one step with the gradients of the weights, and clear them."""
        for group in self.param_groups:
            group["lr"] = learning_rate
        self.step()
        self.zero_grad(set_to_none=True)


class Average:
    """Exponential moving average of weights and normalisation statistics (Polyak and Juditsky
    1992; as in Tarvainen and Valpola 2017), over about the last twentieth of ``steps``."""

    def __init__(self, net: nn.Module, steps: int) -> None:
        tensors = [*net.parameters(), *net.buffers()]
        self._live = [t.detach() for t in tensors if t.is_floating_point()]
        self._mean = [t.clone() for t in self._live]
        self._blend = get_ema_multi_avg_fn(1 - 1 / max(2.0, AVERAGED_SHARE * steps))

    def update(self) -> None:
        """Add the weights after a step to the average."""
        self._blend(self._mean, self._live, None)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averaged weights into the network for the duration of a ``with`` block."""
        kept = [t.clone() for t in self._live]
        torch._foreach_copy_(self._live, self._mean)
        try:
            yield
        finally:
            torch._foreach_copy_(self._live, kept)

    def settle(self) -> None:
        """Put the averaged weights into the network permanently."""
        torch._foreach_copy_(self._live, self._mean)

    def state_dict(self) -> dict[str, Any]:
        """The averages, for a checkpoint."""
        return {"mean": self._mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the averages from a checkpoint."""
        torch._foreach_copy_(self._mean, [t.to(self._mean[0].device) for t in state["mean"]])
