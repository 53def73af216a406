"""How each residual block scales the gradient in the backward pass, and how large features are."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from experiments.record import BlockGain, GainProbe, finite, significant
from experiments.training.probes import Probe
from experiments.training.transforms import to_input
from models.resnet import Block

#: Block gains are measured on the first images of the validation split: this many, or fewer where
#: memory is short.
GAIN_IMAGES = 64


def block_gains(
    net: nn.Module, images: torch.Tensor, labels: torch.Tensor, size: int
) -> list[BlockGain]:
    """Gradient gain of every residual block, input to output, on one batch.

    With y = ReLU(h(x) op s(x)) and g = dL/dy: ``gain`` = |dL/dx| / |g|, and the same for its two
    parts, through h and through s; also the shares of x and of h(x) that lie between -1 and 1.
    Measured in fp32 in training mode (batch statistics). Running statistics, mode and gradients of
    the network are restored.
    """
    blocks = [(name, m) for name, m in net.named_modules() if isinstance(m, Block)]
    if not blocks:
        return []
    seen: dict[str, torch.Tensor] = {}
    gradients: dict[str, torch.Tensor] = {}

    def watch(name: str, block: Block) -> torch.utils.hooks.RemovableHandle:
        def remember(_: nn.Module, args: tuple[torch.Tensor], out: torch.Tensor) -> None:
            seen[name] = args[0].detach()
            out.register_hook(lambda g: gradients.__setitem__(name, g.detach()))

        return block.register_forward_hook(remember)

    training = net.training
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    handles = [watch(name, block) for name, block in blocks]
    net.train()
    loss = F.cross_entropy(net(to_input(images, size, 3)), labels)
    for handle in handles:
        handle.remove()
    # Only gradients of activations are needed: compute one weight's gradient, not all.
    torch.autograd.backward(loss, inputs=[p for p in net.parameters() if p.requires_grad][:1])
    gains = [_gain(name, block, seen[name], gradients[name]) for name, block in blocks]
    net.zero_grad(set_to_none=True)
    net.train(training)
    for name, buffer in net.named_buffers():
        buffer.copy_(buffers[name])
    return gains


def _gain(name: str, block: Block, x: torch.Tensor, g: torch.Tensor) -> BlockGain:
    through_h = x.clone().requires_grad_()
    through_s = x.clone().requires_grad_()
    shortcut = through_s if block.shortcut is None else block.shortcut(through_s)
    branch = block.residual(through_h)
    y = block.join(branch, shortcut)
    inputs = [through_h] if block.shortcut is None else [through_h, through_s]
    parts = torch.autograd.grad(y, inputs, g)
    norm = float(g.norm())

    def ratio(gradient: torch.Tensor | None) -> float | None:
        if gradient is None:
            return 0.0
        value = float(gradient.norm())
        return significant(value / norm, 5) if norm and math.isfinite(norm) else None

    return BlockGain(
        block=name,
        projection=block.shortcut is not None and not isinstance(block.shortcut, nn.Identity),
        gain=ratio(sum(parts[1:], parts[0])),
        branch=ratio(parts[0]),
        shortcut=ratio(parts[1] if len(parts) > 1 else None),
        input_below_one=_below_one(x),
        branch_below_one=_below_one(branch.detach()),
    )


def _below_one(features: torch.Tensor) -> float:
    """The share of the features whose absolute value is below 1."""
    return finite(float((features.abs() < 1).float().mean()), 4)


class GainsProbe(Probe):
    """The gains of all blocks before training, after the first epoch and after the last."""

    name = "block_gains"
    part = GainProbe

    def before_training(self) -> None:
        """Measure."""
        self._measure(epoch=0, step=0)

    def after_epoch(self, epoch: int, step: int, *, last: bool) -> None:
        """Measure after the first and the last."""
        if epoch == 1 or last:
            self._measure(epoch=epoch, step=step)

    def _measure(self, *, epoch: int, step: int) -> None:
        it = self.subject
        number = max(2, GAIN_IMAGES // it.trained.micro_batches)
        images, labels = it.validation.images[:number], it.validation.labels[:number]
        gains = block_gains(it.net, images, labels, it.config.input_size)
        if gains:
            self.found.append(GainProbe(step=step, epoch=epoch, blocks=gains))


PROBE = GainsProbe
