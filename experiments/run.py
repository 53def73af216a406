"""One run, from its configuration to its record."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import torch
import torchvision
from torch import nn

import models
from experiments import data
from experiments.checkpoint import FOLDER as CHECKPOINTS
from experiments.checkpoint import Checkpoint, Trained
from experiments.config import Config
from experiments.evaluation import judge, predict
from experiments.fingerprint import ROOT, fingerprint
from experiments.job import Job
from experiments.probes import SEProbe
from experiments.record import (
    SCHEMA_VERSION,
    Divergence,
    Environment,
    Epoch,
    Evaluation,
    GradientNorms,
    Macs,
    NetworkInfo,
    Probes,
    Record,
    SEWeights,
    Timing,
    finite,
)
from experiments.small_maps import accelerate
from experiments.training import OnStep, Split, train
from models.counting import count

#: glibc's malloc.h
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def pick_device() -> torch.device:
    """The accelerator if there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def execute(
    job: Job,
    images: data.Images,
    *,
    on_step: OnStep = lambda *_: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    checkpoint_seconds: float | None = None,
) -> tuple[Record, Checkpoint]:
    """Train, evaluate and probe one network; returns its record and the checkpoint to remove once
    the record is written.

    An error of the run (out of memory, say) makes a record of status ``failed``; a loss that is
    not finite makes one of status ``diverged``.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    config, device = job.config, pick_device()
    _prepare(device, job.threads, config.seed)
    network = models.resolve(config.network)
    channels = network.input_channels
    print_of_run = fingerprint(config)
    every = {} if checkpoint_seconds is None else {"every": checkpoint_seconds}
    checkpoint = Checkpoint(CHECKPOINTS / job.profile, job.id, print_of_run, **every)

    trained, reason = Trained(), None
    status: Literal["finished", "diverged", "failed"] = "finished"
    validation = test = None
    se_weights: list[SEWeights] = []
    try:
        net = models.build(config.network, **config.options)
        net = net.to(device).to(memory_format=torch.channels_last)
        if device.type == "cpu":
            accelerate(net)
        splits = _on_device(images, config, device)
        trained = train(
            config,
            net,
            splits["train"],
            splits["validation"],
            channels=channels,
            checkpoint=checkpoint,
            on_step=on_step,
            on_epoch=on_epoch,
        )
        if trained.divergence is None:
            validation = trained.validation
            test, se_weights = _test(net, splits["test"], channels, config)
            if test is None:
                trained.divergence = Divergence(epoch=len(trained.history), step=trained.steps - 1)
        if trained.divergence is not None:
            status, validation, test, se_weights = "diverged", None, None, []
    except (RuntimeError, MemoryError) as error:
        status = "failed"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:500]

    wall = time.perf_counter() - clock
    record = Record(
        schema_version=SCHEMA_VERSION,
        id=job.id,
        profile=job.profile,
        fingerprint=print_of_run,
        config=config,
        status=status,
        reason=reason,
        divergence=trained.divergence,
        network=describe(config),
        history=trained.history,
        validation=validation,
        test=test,
        probes=Probes(
            gradient_norms=trained.gradient_norms or GradientNorms(steps=[], layers=[], norms=[]),
            block_gains=trained.gains,
            se_weights=se_weights,
        ),
        environment=environment(device, job.threads),
        timing=Timing(
            started=started,
            finished=datetime.now(UTC),
            wall_seconds=finite(wall, 6),
            train_seconds=finite(trained.seconds, 6),
            images_per_second=finite(trained.images / trained.seconds if trained.seconds else 0.0),
            peak_memory_bytes=_peak_memory(device),
        ),
    )
    return record, checkpoint


def _prepare(device: torch.device, threads: int, seed: int) -> None:
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # vanishing gradients would make the CPU crawl
    if device.type == "cpu":
        _keep_freed_memory()
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(seed)


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed: gradients of hundreds of megabytes come and go every step, and
    asking the kernel for fresh pages each time costs AlexNet a third of its step."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_TOP_PAD, 2**28)


def _on_device(given: data.Images, config: Config, device: torch.device) -> dict[str, Split]:
    parts = {
        "train": (given.train_images, given.train_labels, config.train_images),
        "validation": (
            given.validation_images,
            given.validation_labels,
            config.validation_images,
        ),
        "test": (given.test_images, given.test_labels, config.test_images),
    }
    return {
        name: Split(
            torch.from_numpy(images[:number].copy()).to(device),
            torch.from_numpy(labels[:number].astype("int64")).to(device),
        )
        for name, (images, labels, number) in parts.items()
    }


def _test(
    net: nn.Module, part: Split, channels: int, config: Config
) -> tuple[Evaluation | None, list[SEWeights]]:
    """Evaluate on the test images, watching the SE blocks meanwhile."""
    probe = SEProbe(net)
    bf16 = config.precision == "bf16"
    digits, loss = predict(net, part.images, part.labels, config.input_size, channels, bf16=bf16)
    return judge(digits, part.labels, loss), probe.result()


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


def environment(device: torch.device, threads: int) -> Environment:
    """Device, versions and commit."""
    name = torch.cuda.get_device_name() if device.type == "cuda" else _cpu_name()
    return Environment(
        device_type=cast(Literal["cpu", "cuda", "mps"], device.type),
        device=name,
        threads=threads,
        platform=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        torch=torch.__version__,
        torchvision=torchvision.__version__,
        git_commit=_git("rev-parse", "HEAD"),
        git_dirty=None if (dirty := _git("status", "--porcelain", "-uno")) is None else bool(dirty),
    )


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _peak_memory(device: torch.device) -> int:
    """Peak bytes: of the accelerator's allocations, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
