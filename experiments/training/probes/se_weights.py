"""Channel weights of the SE blocks over the test images, after training."""

import torch
from torch import nn

from experiments.record import SEWeights, finite
from experiments.training.probes import Probe
from models.senet import SEBlock


class ChannelWeights:
    """Records the channel weights of every SE block during forward passes, by hooks."""

    def __init__(self, net: nn.Module) -> None:
        self._weights: dict[str, list[torch.Tensor]] = {}
        self._handles = []
        for name, module in net.named_modules():
            if isinstance(module, SEBlock):
                kept = self._weights.setdefault(name, [])
                self._handles.append(
                    module.excite.register_forward_hook(
                        lambda _m, _x, out, kept=kept: kept.append(out.detach().float())
                    )
                )

    def end(self) -> dict[str, torch.Tensor]:
        """Remove the hooks; returns the weights ``(N, C)`` of each block, input to output."""
        for handle in self._handles:
            handle.remove()
        return {name: torch.cat(kept) for name, kept in self._weights.items()}


class SEProbe(Probe):
    """Statistics of the channel weights over the test images."""

    name = "se_weights"
    part = SEWeights

    def before_test(self) -> None:
        """Begin to record."""
        self._weights = ChannelWeights(self.subject.net)

    def after_test(self) -> None:
        """Sum up."""
        self.found = [_block(name, weights) for name, weights in self._weights.end().items()]


def _block(name: str, weights: torch.Tensor) -> SEWeights:
    mean, std = weights.mean(dim=0), weights.std(dim=0, correction=0)
    spread = weights.amax(dim=1) - weights.amin(dim=1)
    return SEWeights(
        block=name,
        channels=weights.shape[1],
        mean=[finite(value, 4) for value in mean.tolist()],
        std=[finite(value, 4) for value in std.tolist()],
        range_of_means=finite(float(mean.max() - mean.min())),
        mean_range=finite(float(spread.mean())),
    )


PROBE = SEProbe
