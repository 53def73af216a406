"""The training loop: one for every network, profile and device.

AdamW with a one-cycle learning rate (Smith and Topin 2019), bf16 autocast, images resized on the
device. No step synchronises with an accelerator. The ``strong`` recipe adds random affine maps of
the images, and evaluates the running average of the weights instead of the last ones.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
import torch.nn.functional as F
from torch import nn

from experiments.config import Config
from experiments.record import Divergence, Epoch, finite
from experiments.training.callbacks import Callback
from experiments.training.checkpoint import Checkpoint, Stateful
from experiments.training.evaluation import evaluation_metrics, predict
from experiments.training.optimizer import AdamW, Average
from experiments.training.probes import Probe, Subject, create
from experiments.training.state import Trained
from experiments.training.transforms import Split, random_warps, to_input, warp

#: Share of the steps over which the learning rate rises (``one-cycle``).
WARM_UP = 0.25
#: ``stop="stable"``: two windows of this many epochs are compared ...
STABLE_WINDOW = 3
#: ... and training ends if their mean training losses differ by less than this share.
STABLE_CHANGE = 0.05

#: Called with (steps done, steps in total, images per second) every ten steps and after each epoch.
OnStep = Callable[[int, int, float], None]


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
    """Whether the training loss has settled: the means of the last three epochs and of the three
    before differ by less than 5 %. After a sudden rise it has not."""
    if len(losses) < 2 * STABLE_WINDOW:
        return False
    late = sum(losses[-STABLE_WINDOW:])
    early = sum(losses[-2 * STABLE_WINDOW : -STABLE_WINDOW])
    return abs(late - early) < STABLE_CHANGE * early


def is_finite(net: nn.Module) -> bool:
    """Whether every weight and running statistic is finite."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in net.state_dict().values())


def train(
    config: Config,
    net: nn.Module,
    training: Split,
    validation: Split,
    *,
    checkpoint: Checkpoint,
    micro_batches: int = 1,
    on_step: OnStep = lambda *_: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    callbacks: Sequence[Callback] = (),
) -> Trained:
    """Train ``net`` in place, from the checkpoint if there is one.

    Gradients are accumulated over ``micro_batches`` parts of each batch; batch normalisation uses
    the statistics of a part. A loss that is NaN or infinite ends the training and is a result
    (``divergence``), not an error.
    """
    batch = min(config.batch_size, len(training.images))
    per_epoch = len(training.images) // batch  # an incomplete last batch is left out
    total = per_epoch * config.epochs
    optimizer = AdamW(net, config)
    average = Average(net, total) if config.recipe == "strong" else None
    out = Trained(micro_batches=micro_batches)
    out.probes = create(Subject(net, config, validation, out))
    parts: dict[str, Stateful] = {"net": net, "optimizer": optimizer}
    parts |= {probe.name: probe for probe in out.probes}
    parts |= {"average": average} if average else {}
    first_epoch = checkpoint.restore(parts, out) if checkpoint.exists else 0
    if first_epoch == 0:
        with _clock(out, "probe_seconds"):
            for probe in out.probes:
                probe.before_training()

    for epoch in range(first_epoch, config.epochs):
        before = out.seconds
        with _clock(out, "seconds"):
            losses, rate = _one_epoch(
                config,
                net,
                training,
                optimizer=optimizer,
                average=average,
                probes=out.probes,
                epoch=epoch,
                micro_batches=out.micro_batches,
                on_step=on_step,
            )
        seconds = out.seconds - before
        out.steps += len(losses)
        out.images += len(losses) * batch
        bad = (~torch.isfinite(losses)).nonzero()
        if len(bad):
            at = epoch * per_epoch + int(bad[0])
            out.divergence = Divergence(epoch=epoch + 1, step=at)
            break

        with _clock(out, "evaluation_seconds"), average.applied() if average else nullcontext():
            judged = evaluation_metrics(*predict(config, net, validation, out.micro_batches))
            # An infinite weight may not affect the loss: a ReLU can map it to 0.
            out.validation = judged if is_finite(net) else None
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
        for callback in callbacks:
            callback.on_epoch(entry, losses)
        stable = config.stop == "stable" and is_stable([e.train_loss for e in out.history])
        last = stable or epoch + 1 == config.epochs
        if last and average:
            average.settle()
        with _clock(out, "probe_seconds"):
            for probe in out.probes:
                probe.after_epoch(epoch + 1, (epoch + 1) * per_epoch, last=last)
        if last:
            break
        checkpoint.save(parts, out)
    return out


@contextmanager
def _clock(out: Trained, field: str) -> Iterator[None]:
    """Add the seconds that the ``with`` block takes to a field of ``out``."""
    started = time.perf_counter()
    yield
    setattr(out, field, getattr(out, field) + time.perf_counter() - started)


def _one_epoch(
    config: Config,
    net: nn.Module,
    training: Split,
    *,
    optimizer: AdamW,
    average: Average | None,
    probes: Sequence[Probe],
    epoch: int,
    micro_batches: int,
    on_step: OnStep,
) -> tuple[torch.Tensor, float]:
    """Train one epoch; returns the loss of each step, on the CPU, and the last learning rate."""
    device = training.images.device
    net.train()
    # Each epoch has its own seed, so that a resumed run has the same order, warps and dropout.
    seed = config.seed * 1_000_003 + epoch + 1
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(training.images), generator=generator).to(device)
    strong = config.recipe == "strong"
    warps = random_warps(len(order), generator).to(device) if strong else None
    torch.manual_seed(seed)
    batch = min(config.batch_size, len(order))
    per_epoch = len(order) // batch
    total = per_epoch * config.epochs
    losses = torch.zeros(per_epoch, device=device)
    rate, started = 0.0, time.perf_counter()
    for index in range(per_epoch):
        step = epoch * per_epoch + index
        rate = learning_rate(config, step, total, per_epoch)
        taken = slice(index * batch, (index + 1) * batch)
        for part in order[taken].tensor_split(micro_batches):
            images = training.images[part]
            if warps is not None:
                images = warp(images, warps[part])
            x = to_input(images, config.input_size, config.channels)
            with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
                logits = net(x)
            loss = F.cross_entropy(logits.float(), training.labels[part])
            loss = loss * (len(part) / batch)
            loss.backward()
            losses[index] += loss.detach()
        for probe in probes:
            probe.after_backward(step)
        optimizer.update(rate)
        if average:
            average.update()
        if device.type == "cpu" and not math.isfinite(losses[index].item()):
            return losses[: index + 1], rate  # an accelerator is checked after the epoch
        if index % 10 == 9:
            on_step(step + 1, total, (index + 1) * batch / (time.perf_counter() - started))
    return losses.cpu(), rate
