"""Channel weights of the SE blocks before training."""

import math

import torch
from torch import nn

from experiments.record import SEInitial, SEMode, finite
from experiments.training.probes import Probe
from experiments.training.probes.block_gains import GAIN_IMAGES
from experiments.training.probes.se_weights import ChannelWeights
from experiments.training.transforms import to_input
from models.senet import SEBlock

#: Number of images, the first of the validation split.
INITIAL_IMAGES = 1_000


class SEInitialProbe(Probe):
    """A summary of the channel weights of the untrained network, in two modes."""

    name = "se_initial"
    part = SEInitial

    def before_training(self) -> None:
        """Measure."""
        it = self.subject
        images = it.validation.images[:INITIAL_IMAGES]
        at_once = max(2, GAIN_IMAGES // it.trained.micro_batches)
        size, channels = it.config.input_size, it.config.channels
        self.found = se_initial(it.net, images, size, channels, at_once=at_once)


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
        recorder = ChannelWeights(net)
        for part in images.tensor_split(math.ceil(len(images) / at_once)):
            net(to_input(part, size, channels))
        found += [_summary(name, mode, weights) for name, weights in recorder.end().items()]
    net.train(training)
    for name, buffer in net.named_buffers():
        buffer.copy_(buffers[name])
    return found


def _summary(name: str, mode: SEMode, weights: torch.Tensor) -> SEInitial:
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


PROBE = SEInitialProbe
