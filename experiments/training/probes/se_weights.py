"""Channel weights of the SE blocks before and after training."""

from __future__ import annotations

import math

import torch
from torch import nn

from experiments.record import SEInitial, SEMode, SEWeights, finite
from experiments.training.transforms import to_input
from models.senet import SEBlock

#: Number of images, the first of the validation split, for the measurement before training.
INITIAL_IMAGES = 1_000


class SEProbe:
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

    def _end(self) -> dict[str, torch.Tensor]:
        """Remove the hooks; returns the weights ``(N, C)`` of each block, input to output."""
        for handle in self._handles:
            handle.remove()
        return {name: torch.cat(kept) for name, kept in self._weights.items()}

    def result(self) -> list[SEWeights]:
        """Remove the hooks; returns statistics of all blocks over the images, input to output."""
        return [self._block(name, weights) for name, weights in self._end().items()]

    def summary(self, mode: SEMode) -> list[SEInitial]:
        """Remove the hooks; returns a summary of all blocks, for an untrained network."""
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
    and once with batch statistics, as in training. The network's running statistics and mode are
    restored. Empty for networks without SE blocks, and for a single image.
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
