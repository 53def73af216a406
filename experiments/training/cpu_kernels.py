"""Two kinds of convolution that PyTorch computes slowly on a CPU, as faster equivalents.

- Over maps of at most 2x2 pixels, as in the last stages at small inputs, PyTorch spends its time
  on padding and on the layout of weights. Here each tap of the kernel is one matrix product over
  the pixels that it meets. The weights are stored tap by tap, so that each tap's matrix is
  contiguous. Taps that meet only padding are skipped; their gradient is zero.
- In the stem of a three-channel network a grey image has three equal channels. One channel and the
  sum of the weights over the channels give the same output.

The networks, their parameters and counts are unchanged.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

#: Largest input map, in pixels, that is computed tap by tap; at 4x4 PyTorch is as fast.
MOST_PIXELS = 4

Slices = tuple[slice, slice]


def accelerate(net: nn.Module, channels: int, size: int, *, grey: bool = True) -> None:
    """Replace slow convolutions of a network with input ``(N, channels, size, size)`` (CPU only).

    The weights' memory layout changes, so build the optimiser afterwards.
    """
    for module, pixels in _convolutions(net, channels, size):
        way: Callable[[nn.Conv2d, torch.Tensor], torch.Tensor]
        if module.groups != 1 or module.dilation != (1, 1):
            continue
        if grey and module.in_channels == channels == 3:
            way = _from_grey
        elif pixels <= MOST_PIXELS:
            way = functools.partial(_tap_by_tap, _Gradient(module))
            taps_first = module.weight.data.permute(2, 3, 0, 1).contiguous()
            module.weight.data = taps_first.permute(2, 3, 0, 1)
        else:
            continue
        module.forward = functools.partial(way, module)  # type: ignore[method-assign]


def _convolutions(net: nn.Module, channels: int, size: int) -> list[tuple[nn.Conv2d, int]]:
    """Every convolution and the pixels of its input map, found by a forward pass of zeros."""
    found: list[tuple[nn.Conv2d, int]] = []

    def see(module: nn.Module, args: tuple[torch.Tensor]) -> None:
        assert isinstance(module, nn.Conv2d)
        found.append((module, args[0].shape[2] * args[0].shape[3]))

    handles = [
        module.register_forward_pre_hook(see)
        for module in net.modules()
        if isinstance(module, nn.Conv2d)
    ]
    training = net.training
    net.eval()
    with torch.inference_mode():
        net(torch.zeros(1, channels, size, size))
    net.train(training)
    for handle in handles:
        handle.remove()
    return found


def _from_grey(module: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """A convolution of three equal channels: ``(N, 3, H, W)`` to ``(N, C', H', W')``."""
    # The permutation sets channels-last strides, which are ambiguous with one channel.
    grey = x[:, 0].unsqueeze(-1).permute(0, 3, 1, 2)
    weight = module.weight.sum(dim=1).contiguous().unsqueeze(-1).permute(0, 3, 1, 2)
    return F.conv2d(grey, weight, module.bias, module.stride, module.padding)


class _Gradient:
    """A buffer for the gradient of one convolution's weight, reused in every step.

    Zeroing megabytes in every step would cost more than the matrix products. The buffer is zeroed
    once; each step overwrites the same taps. Autograd uses the buffer without a copy.
    """

    def __init__(self, module: nn.Conv2d) -> None:
        self._weight = module.weight
        self._buffer: torch.Tensor | None = None

    def taps(self) -> torch.Tensor:
        """The buffer ``(taps, C', C)``: zeros, except for the taps that every step overwrites."""
        out, into, height, width = self._weight.shape
        if self._buffer is None or self._weight.grad is not None:
            # With micro-batches the buffer may hold a gradient that is still needed.
            self._buffer = torch.zeros(height * width, out, into)
        return self._buffer


def _tap_by_tap(gradient: _Gradient, module: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """A convolution over a small map: ``(N, C, H, W)`` to ``(N, C', H', W')``."""
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    y: torch.Tensor = _TapByTap.apply(
        x.to(dtype), module.weight, module.bias, module.stride[0], module.padding[0], gradient
    )
    return y.permute(0, 3, 1, 2)  # not in the autograd function: an in-place ReLU may follow


def _taps(
    kernel: int, stride: int, padding: int, size: list[int], out: list[int]
) -> Iterator[tuple[int, Slices, Slices]]:
    """Each tap that meets the map: its index, and the input and output pixels that it connects."""

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


class _TapByTap(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: int,
        padding: int,
        gradient: _Gradient,
    ) -> torch.Tensor:
        n, cin, *size = x.shape
        cout, _, kernel, _ = weight.shape
        out = [(length + 2 * padding - kernel) // stride + 1 for length in size]
        pixels = x.permute(0, 2, 3, 1)
        by_tap = weight.permute(2, 3, 0, 1).reshape(kernel * kernel, cout, cin)
        taps = list(_taps(kernel, stride, padding, size, out))
        y = x.new_zeros(n, *out, cout)
        if bias is not None:
            y += bias.to(x.dtype)
        matrices = []
        for tap, (iy, ix), (oy, ox) in taps:
            matrix = by_tap[tap].to(x.dtype)
            matrices.append(matrix)
            piece = pixels[:, iy, ix]
            product = piece.reshape(-1, cin) @ matrix.t()
            y[:, oy, ox] += product.view(*piece.shape[:3], cout)
        ctx.save_for_backward(pixels, *matrices)
        ctx.taps, ctx.weight, ctx.with_bias = taps, weight.shape, bias is not None
        ctx.gradient = gradient
        return y  # (N, H', W', C')

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        pixels, *matrices = ctx.saved_tensors
        g = gradients[0]
        cout, cin, kernel, _ = ctx.weight
        dx = torch.zeros_like(pixels)
        dw = ctx.gradient.taps() if ctx.needs_input_grad[1] else None
        for matrix, (tap, (iy, ix), (oy, ox)) in zip(matrices, ctx.taps, strict=True):
            piece = g[:, oy, ox].reshape(-1, cout)
            x = pixels[:, iy, ix]
            dx[:, iy, ix] += (piece @ matrix).view(x.shape)
            if dw is not None:
                dw[tap] = piece.t() @ x.reshape(-1, cin)
        if dw is not None:
            dw = dw.view(kernel, kernel, cout, cin).permute(2, 3, 0, 1)
        db = g.sum(dim=(0, 1, 2), dtype=torch.float32) if ctx.with_bias else None
        return dx.permute(0, 3, 1, 2), dw, db, None, None, None
