"""The training loop: one for every network, profile and device.

AdamW (Loshchilov and Hutter 2019) under one learning-rate cycle (Smith and Topin 2019), bf16
autocast, images resized on the device. Nothing in an epoch waits for the device.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from experiments.checkpoint import Checkpoint, Trained
from experiments.config import Config
from experiments.evaluation import judge, predict
from experiments.images import to_input
from experiments.probes import GradientProbe, gain_probe
from experiments.record import Divergence, Epoch, finite

#: Share of the steps in which the learning rate rises.
WARM_UP = 0.25
#: ``stop="stable"``: two windows of this many epochs are compared ...
STABLE_WINDOW = 3
#: ... and training ends once the later mean training loss is above this share of the earlier.
STABLE_SHARE = 0.95

#: Called with (steps done, steps in all, images a second) now and then, and with each epoch.
OnStep = Callable[[int, int, float], None]
OnEpoch = Callable[[Epoch], None]


@dataclass
class Split:
    """Images ``(N, 28, 28)`` uint8 and labels ``(N,)`` int64, both on the device."""

    images: torch.Tensor
    labels: torch.Tensor


def learning_rate(config: Config, step: int, total: int, steps_per_epoch: int) -> float:
    """The learning rate of a step: linear warm-up, then a cosine to zero, or constant."""
    one_cycle = config.schedule == "one-cycle"
    warm_up = max(1, round(WARM_UP * total) if one_cycle else steps_per_epoch)
    if step < warm_up:
        return config.learning_rate * (step + 1) / warm_up
    if not one_cycle:
        return config.learning_rate
    progress = (step - warm_up) / max(1, total - warm_up)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def is_stable(losses: list[float]) -> bool:
    """Whether the training loss has stopped falling: the mean of the last three epochs is above
    95 % of the mean of the three before."""
    if len(losses) < 2 * STABLE_WINDOW:
        return False
    late = sum(losses[-STABLE_WINDOW:])
    early = sum(losses[-2 * STABLE_WINDOW : -STABLE_WINDOW])
    return late > STABLE_SHARE * early


def optimizer_of(net: nn.Module, config: Config) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices and kernels, none on biases and normalisation."""
    decayed = [p for p in net.parameters() if p.dim() >= 2]
    others = [p for p in net.parameters() if p.dim() < 2]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def train(
    config: Config,
    net: nn.Module,
    training: Split,
    validation: Split,
    *,
    channels: int,
    checkpoint: Checkpoint,
    on_step: OnStep = lambda *_: None,
    on_epoch: OnEpoch = lambda _: None,
) -> Trained:
    """Train ``net`` in place, from the checkpoint if there is one.

    A loss that is NaN or infinite ends the training; it is a result (``divergence``), not an error.
    """
    optimizer = optimizer_of(net, config)
    gradients = GradientProbe(net)
    out = Trained()
    first_epoch = checkpoint.restore(net, optimizer, gradients, out) if checkpoint.exists else 0

    batch = min(config.batch_size, len(training.images))
    per_epoch = len(training.images) // batch
    total = per_epoch * config.epochs

    def measure_gains(epoch: int) -> None:
        probe = gain_probe(
            net,
            validation.images,
            validation.labels,
            size=config.input_size,
            step=epoch * per_epoch,
            epoch=epoch,
        )
        if probe is not None:
            out.gains.append(probe)

    if first_epoch == 0:
        measure_gains(0)

    for epoch in range(first_epoch, config.epochs):
        started = time.perf_counter()
        losses, rate = _one_epoch(
            config, net, training, optimizer, gradients, epoch, channels, total, on_step
        )
        seconds = time.perf_counter() - started
        out.seconds += seconds
        out.steps += len(losses)
        out.images += len(losses) * batch
        bad = (~torch.isfinite(losses)).nonzero()
        if len(bad):
            at = epoch * per_epoch + int(bad[0])
            out.divergence = Divergence(epoch=epoch + 1, step=at)
            break

        bf16 = config.precision == "bf16"
        digits, validation_loss = predict(
            net, validation.images, validation.labels, config.input_size, channels, bf16=bf16
        )
        out.validation = judge(digits, validation.labels, validation_loss)
        if out.validation is None:
            out.divergence = Divergence(epoch=epoch + 1, step=(epoch + 1) * per_epoch - 1)
            break
        entry = Epoch(
            epoch=epoch + 1,
            train_loss=finite(float(losses.double().mean()), 6),
            validation_loss=out.validation.loss,
            validation_accuracy=out.validation.accuracy,
            learning_rate=finite(rate, 6),
            seconds=round(seconds, 3),
        )
        out.history.append(entry)
        on_step((epoch + 1) * per_epoch, total, per_epoch * batch / seconds)
        on_epoch(entry)
        stable = config.stop == "stable" and is_stable([e.train_loss for e in out.history])
        last = stable or epoch + 1 == config.epochs
        if epoch == 0 or last:
            measure_gains(epoch + 1)
        if last:
            break
        checkpoint.save(net, optimizer, gradients, out)

    out.gradient_norms = gradients.result()
    return out


def _one_epoch(
    config: Config,
    net: nn.Module,
    training: Split,
    optimizer: torch.optim.AdamW,
    gradients: GradientProbe,
    epoch: int,
    channels: int,
    total: int,
    on_step: OnStep,
) -> tuple[torch.Tensor, float]:
    """One pass; returns the loss of each step, on the CPU, and the last learning rate."""
    device = training.images.device
    net.train()
    # Each epoch seeds itself, so that a resumed run sees the same order and dropout.
    seed = config.seed * 1_000_003 + epoch + 1
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(training.images), generator=generator).to(device)
    torch.manual_seed(seed)
    batch = min(config.batch_size, len(training.images))
    per_epoch = len(training.images) // batch  # the rest of an epoch's order is left out
    losses = torch.empty(per_epoch, device=device)
    rate, started = 0.0, time.perf_counter()
    for index in range(per_epoch):
        step = epoch * per_epoch + index
        rate = learning_rate(config, step, total, per_epoch)
        for group in optimizer.param_groups:
            group["lr"] = rate
        chosen = order[index * batch : (index + 1) * batch]
        x = to_input(training.images[chosen], config.input_size, channels)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            logits = net(x)
        loss = F.cross_entropy(logits.float(), training.labels[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        gradients.observe(step)
        optimizer.step()
        losses[index] = loss.detach()
        if device.type == "cpu" and not math.isfinite(loss.item()):
            return losses[: index + 1], rate  # on an accelerator the epoch's end tells
        if index % 10 == 9:
            on_step(step + 1, total, (index + 1) * batch / (time.perf_counter() - started))
    return losses.cpu(), rate
