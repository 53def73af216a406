"""What every contestant is given to do, and how it is timed and weighed."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from experiments.config import Config
from experiments.machine import peak_memory


@dataclass(frozen=True)
class Work:
    """A network to train for some steps.

    Attributes:
        config: network, size in pixels, batch size, seed.
        warm_up: steps before the clock starts, at least 1.
        steps: steps that count.
        macs: multiply-accumulates of a forward pass on one image, by torchinfo's count.
    """

    config: Config
    warm_up: int
    steps: int
    macs: int

    @property
    def images(self) -> int:
        """Images that count."""
        return self.steps * self.config.batch_size


@dataclass(frozen=True)
class Measured:
    """Seconds that the steps that count took, and the peak memory in bytes."""

    seconds: float
    peak_memory_bytes: int


def synchronize(device: torch.device) -> None:
    """Wait until an accelerator has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


class Clock:
    """Times a training loop from the end of the warm-up's last step to the end of the last."""

    def __init__(self, work: Work, device: torch.device) -> None:
        self._work = work
        self._device = device
        self._done = 0
        self._started = 0.0
        self._measured: Measured | None = None

    def tick(self) -> None:
        """To be called at the end of each step."""
        self._done += 1
        if self._done == self._work.warm_up:
            synchronize(self._device)
            self._started = time.perf_counter()
        elif self._done == self._work.warm_up + self._work.steps:
            synchronize(self._device)
            seconds = time.perf_counter() - self._started
            memory = peak_memory(self._device)
            if self._device.type == "cpu":
                memory += sum(_private(child.pid) for child in multiprocessing.active_children())
            self._measured = Measured(seconds, memory)

    def measured(self) -> Measured:
        """What was measured, after the last step."""
        assert self._measured is not None, f"{self._done} steps were done"
        return self._measured


def _private(pid: int | None) -> int:
    """Bytes of a loader's process that it shares with none; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))
