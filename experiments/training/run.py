"""One run, from its configuration to its record."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import torch

import models
from experiments.config import Config
from experiments.datasets.splits import Images
from experiments.record import (
    SCHEMA_VERSION,
    Divergence,
    Epoch,
    Fit,
    GradientNorms,
    Macs,
    NetworkInfo,
    Probes,
    Record,
    Timing,
    finite,
)
from experiments.training.callbacks import Callback
from experiments.training.checkpoint import EVERY_SECONDS, Checkpoint, CheckpointMismatch
from experiments.training.checkpoint import FOLDER as CHECKPOINTS
from experiments.training.cpu_kernels import accelerate
from experiments.training.device import (
    computes_in_bf16,
    environment,
    give_back_memory,
    is_out_of_memory,
    matmul_rate,
    peak_memory,
    pick_device,
    prepare,
)
from experiments.training.evaluation import evaluation_metrics, predict
from experiments.training.loop import OnStep, train
from experiments.training.state import Job, Trained
from experiments.training.transforms import Split
from experiments.versions import fingerprint, in_fp32, probe_versions
from models.complexity import count

#: Maximum number of training images, the first, on which the fit is measured.
FIT_IMAGES = 10_000


def execute(
    job: Job,
    images: Images,
    *,
    on_step: OnStep = lambda *_: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
    on_split: Callable[[int], None] = lambda _: None,
    checkpoint_seconds: float = EVERY_SECONDS,
    callbacks: Sequence[Callback] = (),
) -> tuple[Record, Checkpoint]:
    """Train, evaluate and probe one network; returns its record, and the checkpoint to remove once
    the record is written. Without bf16 arithmetic the run is trained and recorded in fp32.

    If memory runs out, the run restarts with twice as many micro-batches, of at least two images
    each. ``on_split`` is called with their number before; it may end the process instead, because
    oneDNN does not always recover. An error gives a record of status ``failed``, a loss that is not
    finite one of status ``diverged``.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    device = pick_device()
    config = job.config if computes_in_bf16(device) else in_fp32(job.config)
    prepare(device, job.threads, config.seed)
    if job.micro_batches > 1:
        give_back_memory(device)
    print_of_run = fingerprint(config)
    folder = CHECKPOINTS / job.profile
    checkpoint = Checkpoint(folder, job.id, print_of_run, checkpoint_seconds, on_note)

    trained, reason = Trained(), None
    micro_batches = job.micro_batches
    while True:
        try:
            trained = _attempt(
                config, images, device, checkpoint, micro_batches, on_step, on_epoch, callbacks
            )
            break
        except CheckpointMismatch:
            continue  # without the checkpoint
        except (RuntimeError, MemoryError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
            out_of_memory = is_out_of_memory(error)
            for callback in callbacks:
                callback.on_error(error)
        # Not in the handler, where the error's traceback still holds the attempt's tensors.
        give_back_memory(device)
        if not out_of_memory:
            break
        if 2 * micro_batches > config.batch_size // 2:
            tried = f", even with each batch in {micro_batches} parts" if micro_batches > 1 else ""
            reason = f"out of memory{tried}: {reason}"
            break
        micro_batches, reason = 2 * micro_batches, None
        on_split(micro_batches)

    network, limit = describe(config), matmul_rate(device)
    rate = trained.images / trained.seconds if trained.seconds else 0.0
    # Per training image: 2 FLOP per MAC; the backward pass costs two forward passes.
    flops = 6 * network.macs_at_input.torchinfo
    wall = time.perf_counter() - clock
    record = Record(
        schema_version=SCHEMA_VERSION,
        id=job.id,
        profile=job.profile,
        fingerprint=print_of_run,
        config=config,
        status="failed" if reason else "diverged" if trained.divergence else "finished",
        reason=reason,
        batch_pieces=trained.micro_batches,
        divergence=trained.divergence,
        network=network,
        history=trained.history,
        validation=trained.validation if trained.test else None,
        test=trained.test,
        train_evaluation=trained.fit,
        probes=_probes(trained),
        environment=environment(device, job.threads),
        timing=Timing(
            started=started,
            finished=datetime.now(UTC),
            wall_seconds=finite(wall, 6),
            train_seconds=finite(trained.seconds, 6),
            evaluation_seconds=finite(trained.evaluation_seconds, 6),
            probe_seconds=finite(trained.probe_seconds, 6),
            images_per_second=finite(rate),
            utilisation=None if limit is None else finite(flops * rate / limit),
            peak_memory_bytes=peak_memory(device),
        ),
    )
    for callback in callbacks:
        callback.on_record(record)
    return record, checkpoint


def on_device(
    net: torch.nn.Module, images: Images, config: Config, device: torch.device
) -> tuple[torch.nn.Module, dict[str, Split]]:
    """A network, with fast kernels on a CPU, and the images of each split that it is run on."""
    splits = {}
    for name in ("train", "validation", "test"):
        number = getattr(config, f"{name}_images")
        pixels, labels = getattr(images, f"{name}_images"), getattr(images, f"{name}_labels")
        splits[name] = Split(
            torch.from_numpy(pixels[:number].copy()).to(device),
            torch.from_numpy(labels[:number].astype("int64")).to(device),
        )
    net = net.to(device).to(memory_format=torch.channels_last)
    if device.type == "cpu":
        grey = splits["train"].images.dim() == 3
        accelerate(net, config.channels, config.input_size, grey=grey)
    return net, splits


def _attempt(
    config: Config,
    images: Images,
    device: torch.device,
    checkpoint: Checkpoint,
    micro_batches: int,
    on_step: OnStep,
    on_epoch: Callable[[Epoch], None],
    callbacks: Sequence[Callback],
) -> Trained:
    """Train and evaluate once, with ``micro_batches`` micro-batches per batch."""
    torch.manual_seed(config.seed)
    built = models.build(config.network, **config.options)
    net, splits = on_device(built, images, config, device)
    trained = train(
        config,
        net,
        splits["train"],
        splits["validation"],
        checkpoint=checkpoint,
        micro_batches=micro_batches,
        on_step=on_step,
        on_epoch=on_epoch,
        callbacks=callbacks,
    )
    if trained.divergence is not None:
        return trained
    started = time.perf_counter()
    for probe in trained.probes:
        probe.before_test()
    test = evaluation_metrics(*predict(config, net, splits["test"], trained.micro_batches))
    if test is not None:
        for probe in trained.probes:
            probe.after_test()
    fit = _fit(config, net, splits["train"], trained.micro_batches)
    trained.evaluation_seconds += time.perf_counter() - started
    if test is None:
        trained.divergence = Divergence(epoch=len(trained.history), step=trained.steps - 1)
        return trained
    trained.test, trained.fit = test, fit
    for callback in callbacks:
        callback.on_trained(net)
    return trained


def _probes(trained: Trained) -> Probes:
    """The results of all probes; empty ones of a run that failed."""
    found: dict[str, Any] = {probe.name: probe.result() for probe in trained.probes}
    norms = GradientNorms(steps=[], layers=[], norms=[])
    fields: dict[str, Any] = {"gradient_norms": norms, "block_gains": [], "se_weights": []}
    more = {name: found.pop(name) for name in found.keys() - Probes.model_fields.keys()}
    return Probes(versions=probe_versions(), more=more, **(fields | found))


def _fit(config: Config, net: torch.nn.Module, training: Split, micro_batches: int) -> Fit | None:
    """The fit to the first training images; None where the loss is not finite."""
    part = Split(training.images[:FIT_IMAGES], training.labels[:FIT_IMAGES])
    judged = evaluation_metrics(*predict(config, net, part, micro_batches))
    if judged is None:
        return None
    return Fit(images=judged.images, loss=judged.loss, accuracy=judged.accuracy)


def describe(config: Config) -> NetworkInfo:
    """Parameters, MACs and layers of the network that a configuration builds."""
    network = models.resolve(config.network)
    options: dict[str, Any] = dict(config.options)
    reference = count(config.network, **options)
    here = count(config.network, config.input_size, **options)
    return NetworkInfo(
        parameters=reference.parameters,
        macs=Macs(torchinfo=reference.macs_torchinfo, thop=reference.macs_thop),
        macs_size=network.fixed_size or 224,
        macs_at_input=Macs(torchinfo=here.macs_torchinfo, thop=here.macs_thop),
        layers=reference.layers,
    )
