"""The machine of a run: device, threads, memory, software versions and capabilities."""

import contextlib
import ctypes
import gc
import os
import platform
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

import torch
import torchvision

from experiments.record import Environment
from experiments.support.git import commit

#: Instructions that multiply bf16 numbers: x86's and ARM's.
_BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
#: glibc's malloc.h
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def pick_device() -> torch.device:
    """The accelerator if there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def computes_in_bf16(device: torch.device) -> bool:
    """Whether the device has bf16 arithmetic. A CPU without it is twelve times as slow in bf16 as
    in fp32 (AMD EPYC with AVX2, convolutions of ResNet-18)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return any(_capabilities().get(name) for name in _BF16)
    return True


def _capabilities() -> Mapping[str, object]:
    """The CPU's capabilities by PyTorch's names."""
    ask = getattr(torch.cpu, "get_capabilities", None)  # not in every release from 2.11 on
    return ask() if ask else {"avx512_bf16": torch.cpu._is_avx512_bf16_supported()}


def prepare(device: torch.device, threads: int, seed: int) -> None:
    """Set up a process for training: threads, determinism, seed, memory allocation."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # vanishing gradients have denormals, which are slow on CPUs
    if device.type == "cpu":
        _keep_freed_memory()
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(seed)


def _keep_freed_memory() -> None:
    """Let glibc keep freed memory. Gradients of hundreds of megabytes are allocated in every step;
    fresh pages from the kernel would take a third of AlexNet's time."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_TOP_PAD, 2**28)


def give_back_memory(device: torch.device) -> None:
    """Return freed memory to the system, now and in future. After memory has run out, oneDNN needs
    fresh pages for its generated code."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 65536)  # these three are glibc's defaults
        libc.mallopt(_M_TRIM_THRESHOLD, 2**17)
        libc.mallopt(_M_TOP_PAD, 2**17)
        libc.malloc_trim(0)


def environment(device: torch.device, threads: int) -> Environment:
    """Device, versions and commit."""
    name = torch.cuda.get_device_name() if device.type == "cuda" else _cpu_name()
    git_commit, git_dirty = commit()
    return Environment(
        device_type=cast(Literal["cpu", "cuda", "mps"], device.type),
        device=name,
        threads=threads,
        platform=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        torch=torch.__version__,
        torchvision=torchvision.__version__,
        git_commit=git_commit,
        git_dirty=git_dirty,
    )


def _cpu_name() -> str:
    """The CPU's name, instruction set and cores: ``AMD EPYC (AVX512, bf16), 2 cores``. In virtual
    machines, CPUs of one name may have different instruction sets and then round differently."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    used = torch.backends.cpu.get_cpu_capability()
    if computes_in_bf16(torch.device("cpu")):
        used += ", bf16"
    return f"{name} ({used}), {os.cpu_count()} cores"


def peak_memory(device: torch.device) -> int:
    """Peak bytes: of the accelerator's allocations, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, in any of the ways in which PyTorch says it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    # oneDNN's message gives no reason, but the same primitives were created in earlier steps.
    hints = ("allocate memory", "bad_alloc", "not enough memory", "could not create a primitive")
    return any(hint in said for hint in hints)


def matmul_rate(device: torch.device) -> float | None:
    """FLOP/s of a large bf16 matrix product on a CUDA device; None elsewhere."""
    if device.type != "cuda":
        return None
    size, products = 8192, 10
    a, b = torch.randn(2, size, size, device=device, dtype=torch.bfloat16)
    for _ in range(3):
        a @ b
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(products):
        a @ b
    torch.cuda.synchronize()
    return products * 2 * size**3 / (time.perf_counter() - started)
