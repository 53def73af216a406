"""The machine's own ceiling: a large convolution and matrix product, forward and backward, in the
precision that runs have here: bf16, or fp32 where the device has no bf16 arithmetic."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from experiments.benchmark.work import synchronize
from experiments.machine import computes_in_bf16, pick_device, prepare

Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def run(threads: int, size: int = 4096, batch: int = 64) -> dict[str, float]:
    """FLOP/s of a 3x3 convolution of 256 to 256 channels over ``batch`` maps of 28x28 pixels, and
    of a product of two ``size`` x ``size`` matrices: forward, and forward and backward."""
    device = pick_device()
    prepare(device, threads, 0)
    if device.type != "cpu":
        batch *= 8

    def channels_last(*shape: int) -> torch.Tensor:
        return random(*shape).to(memory_format=torch.channels_last)

    dtype = torch.bfloat16 if computes_in_bf16(device) else torch.float32
    random = functools.partial(torch.randn, device=device, dtype=dtype)
    convolution: Product = functools.partial(F.conv2d, padding=1)
    products: dict[str, tuple[int, Product, torch.Tensor, torch.Tensor]] = {
        "convolution": (
            batch * 28 * 28 * 256 * 256 * 9,
            convolution,
            channels_last(batch, 256, 28, 28),
            channels_last(256, 256, 3, 3),
        ),
        "matmul": (size**3, torch.matmul, random(size, size), random(size, size)),
    }
    rates = {}
    for name, (macs, product, a, b) in products.items():
        forward = functools.partial(product, a, b)
        both = functools.partial(_there_and_back, product, a, b)
        rates[f"{name}_forward"] = 2 * macs / _seconds(forward, device)
        rates[name] = 6 * macs / _seconds(both, device)
    return rates


def _there_and_back(product: Product, a: torch.Tensor, b: torch.Tensor) -> None:
    inputs = (a.detach().requires_grad_(), b.detach().requires_grad_())
    out = product(*inputs)
    torch.autograd.grad(out, inputs, torch.ones_like(out))


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call, after one to warm up."""
    calls = 2 if device.type == "cpu" else 50
    work()
    synchronize(device)
    started = time.perf_counter()
    for _ in range(calls):
        work()
    synchronize(device)
    return (time.perf_counter() - started) / calls
