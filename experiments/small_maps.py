"""Convolutions over maps of a few pixels, as matrix products.

At the small inputs of the CPU profiles the last stages see maps of 2x2 pixels and less, where a
general convolution spends its time on padding and on laying out weights. Here each tap of the
kernel is one matrix product over the pixels that it meets: the same sums, two to eight times as
fast on a CPU. The networks themselves, their parameters and counts are untouched.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

#: Largest map, in pixels, that goes this way; at 4x4 the general convolution is as fast.
MOST_PIXELS = 4

Slices = tuple[slice, slice]


def accelerate(net: nn.Module) -> None:
    """Let the network's convolutions take the short way where a map is small (CPU only)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.groups == 1 and module.dilation == (1, 1):
            module.forward = functools.partial(_convolve, module)  # type: ignore[method-assign]


def _convolve(module: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """The forward of one convolution: ``(N, C, H, W)`` to ``(N, C', H', W')``."""
    if x.shape[2] * x.shape[3] > MOST_PIXELS:
        return nn.Conv2d.forward(module, x)
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    y: torch.Tensor = _SmallConvolution.apply(
        x.to(dtype), module.weight, module.bias, module.stride[0], module.padding[0]
    )
    return y.permute(0, 3, 1, 2)  # out here, so that an in-place ReLU may follow


def _taps(
    kernel: int, stride: int, padding: int, size: tuple[int, int], out: tuple[int, int]
) -> Iterator[tuple[int, Slices, Slices]]:
    """Each tap that meets the map: its index, the input pixels and the output pixels it joins."""

    def along(tap: int, length: int, out_length: int) -> tuple[slice, slice] | None:
        hits = [o for o in range(out_length) if 0 <= o * stride + tap - padding < length]
        if not hits:
            return None
        first = hits[0] * stride + tap - padding
        last = hits[-1] * stride + tap - padding
        return slice(first, last + 1, stride), slice(hits[0], hits[-1] + 1)

    for row in range(kernel):
        for column in range(kernel):
            vertical = along(row, size[0], out[0])
            horizontal = along(column, size[1], out[1])
            if vertical and horizontal:
                inputs, outputs = zip(vertical, horizontal, strict=True)
                yield row * kernel + column, inputs, outputs


class _SmallConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: int,
        padding: int,
    ) -> torch.Tensor:
        n, cin, *size = x.shape
        cout, _, kernel, _ = weight.shape
        out = [(length + 2 * padding - kernel) // stride + 1 for length in size]
        pixels = x.permute(0, 2, 3, 1)
        # (C', taps, C): a view of a channels-last weight; cast tap by tap, only those that meet it.
        by_tap = weight.permute(0, 2, 3, 1).reshape(cout, kernel * kernel, cin)
        taps = list(_taps(kernel, stride, padding, (size[0], size[1]), (out[0], out[1])))
        y = x.new_zeros(n, *out, cout)
        if bias is not None:
            y += bias.to(x.dtype)
        matrices = []
        for tap, (iy, ix), (oy, ox) in taps:
            matrix = by_tap[:, tap].to(x.dtype, memory_format=torch.contiguous_format)
            matrices.append(matrix)
            piece = pixels[:, iy, ix]
            product = piece.reshape(-1, cin) @ matrix.t()
            y[:, oy, ox] += product.view(*piece.shape[:3], cout)
        ctx.save_for_backward(pixels, *matrices)
        ctx.taps, ctx.weight, ctx.bias = taps, weight.shape, None if bias is None else bias.dtype
        return y  # (N, H', W', C')

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        pixels, *matrices = ctx.saved_tensors
        g = gradients[0]
        cout, cin, kernel, _ = ctx.weight
        dx = torch.zeros_like(pixels)
        dw = torch.zeros(cout, kernel * kernel, cin) if ctx.needs_input_grad[1] else None
        for matrix, (tap, (iy, ix), (oy, ox)) in zip(matrices, ctx.taps, strict=True):
            piece = g[:, oy, ox].reshape(-1, cout)
            x = pixels[:, iy, ix]
            dx[:, iy, ix] += (piece @ matrix).view(x.shape)
            if dw is not None:
                dw[:, tap] = piece.t() @ x.reshape(-1, cin)
        if dw is not None:
            dw = dw.view(cout, kernel, kernel, cin).permute(0, 3, 1, 2)
        db = g.sum(dim=(0, 1, 2), dtype=torch.float32) if ctx.bias is not None else None
        return dx.permute(0, 3, 1, 2), dw, db, None, None
