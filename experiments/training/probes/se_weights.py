"""Channel weights of the SE blocks, before training and after it."""

from __future__ import annotations

import math

import torch
from torch import nn

from experiments.record import SEInitial, SEMode, SEWeights, finite
from experiments.training.transforms import to_input
from models.senet import SEBlock

#: Before training the weights are measured on this many images, the first of the validation split.
INITIAL_IMAGES = 1_000


class SEProbe:
    """Channel weights of every SE block, gathered while the network is evaluated."""

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

    def _end(self) -> dict[str, torch.Tensor]:
        """End the watch; the weights ``(N, C)`` of each block, input to output."""
        for handle in self._handles:
            handle.remove()
        return {name: torch.cat(kept) for name, kept in self._weights.items()}

    def result(self) -> list[SEWeights]:
        """Statistics of all blocks over the images seen, input to output; ends the watch."""
        return [self._block(name, weights) for name, weights in self._end().items()]

    def summary(self, mode: SEMode) -> list[SEInitial]:
        """The same in short, for a network that is not trained yet; ends the watch."""
        return [_initial(name, mode, weights) for name, weights in self._end().items()]

    @staticmethod
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


def _initial(name: str, mode: SEMode, weights: torch.Tensor) -> SEInitial:
    mean, variance = weights.mean(dim=0), weights.var(dim=0, correction=0).mean()
    spread = weights.amax(dim=1) - weights.amin(dim=1)
    total = float(variance + mean.var(correction=0))
    return SEInitial(
        block=name,
        mode=mode,
        channels=weights.shape[1],
        range_of_means=finite(float(mean.max() - mean.min())),
        mean_range=finite(float(spread.mean())),
        dynamic_share=finite(float(variance) / total if total else 0.0, 4),
    )


@torch.no_grad()
def se_initial(
    net: nn.Module, images: torch.Tensor, size: int, channels: int, *, at_once: int
) -> list[SEInitial]:
    """Channel weights of every SE block of a network before training.

    Once in evaluation mode (the running statistics of an untrained network: mean 0, variance 1)
    and once with the statistics of the batch, as in training. The network's running statistics and
    mode are left as they were. Empty for networks without SE blocks, and for a single image.
    """
    found: list[SEInitial] = []
    if len(images) < 2 or not any(isinstance(module, SEBlock) for module in net.modules()):
        return found  # a batch of one image has no statistics
    training = net.training
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    modes: tuple[SEMode, ...] = ("evaluation", "batch")
    for mode in modes:
        net.train(mode == "batch")
        probe = SEProbe(net)
        for part in images.tensor_split(math.ceil(len(images) / at_once)):
            net(to_input(part, size, channels))
        found += probe.summary(mode)
    net.train(training)
    for name, buffer in net.named_buffers():
        buffer.copy_(buffers[name])
    return found
