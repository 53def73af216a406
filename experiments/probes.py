"""What is measured inside the networks: gradients, block gains, channel weights."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from experiments.images import to_input
from experiments.record import BlockGain, GainProbe, GradientNorms, SEWeights, finite, significant
from models.resnet import Block
from models.senet import SEBlock

#: Gradient norms are taken over this many first steps.
GRADIENT_STEPS = 10
#: Block gains are measured on this many images, the first of the validation split (on fewer where
#: memory is short).
GAIN_IMAGES = 64


class GradientProbe:
    """Norm of the loss gradient of each convolution's and linear layer's weight."""

    def __init__(self, net: nn.Module) -> None:
        layers = [
            (name, module)
            for name, module in net.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        ]
        self._names = [name for name, _ in layers]
        self._weights = [module.weight for _, module in layers]
        self._norms: list[torch.Tensor] = []

    def observe(self, step: int) -> None:
        """Call after ``backward``; keeps the norms of the first steps on the device."""
        if step < GRADIENT_STEPS and step == len(self._norms):
            gradients = [w.grad for w in self._weights if w.grad is not None]
            self._norms.append(torch.stack(torch._foreach_norm(gradients)))

    def state_dict(self) -> dict[str, Any]:
        """The norms so far, for a checkpoint."""
        return {"norms": [row.tolist() for row in self._norms]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up where a checkpoint left off."""
        self._norms = [torch.tensor(row) for row in state["norms"]]

    def result(self) -> GradientNorms:
        return GradientNorms(
            steps=list(range(len(self._norms))),
            layers=self._names,
            norms=[[significant(value, 4) for value in row.tolist()] for row in self._norms],
        )


def block_gains(
    net: nn.Module, images: torch.Tensor, labels: torch.Tensor, size: int
) -> list[BlockGain]:
    """Gradient gain of every residual block, input to output, on one batch.

    With y = ReLU(h(x) op s(x)) and g = dL/dy: ``gain`` = |dL/dx| / |g|, and the norms of its two
    parts, through h and through s. Measured in fp32 on the training-mode network (batch
    statistics), whose running statistics, mode and gradients are left as they were.
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
    # Only the activations' gradients are wanted, so the weights' are never computed.
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
    y = block.join(block.residual(through_h), shortcut)
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
    )


def gain_probe(
    net: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    size: int,
    step: int,
    epoch: float,
) -> GainProbe | None:
    """The gains of all blocks at one moment of training; None for networks without blocks."""
    gains = block_gains(net, images, labels, size)
    return GainProbe(step=step, epoch=epoch, blocks=gains) if gains else None


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

    def result(self) -> list[SEWeights]:
        """Statistics of all blocks over the images seen, input to output; ends the watch."""
        for handle in self._handles:
            handle.remove()
        return [self._block(name, torch.cat(kept)) for name, kept in self._weights.items()]

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
