"""ResNet and PlainNet: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image
recognition", CVPR 2016, section 3 (table 1, figures 3 and 5).

A block joins its residual branch h(x) with its shortcut x by an operator: ``add`` (the paper),
``sub``, ``mul``, or ``none`` (no shortcut: PlainNet). ReLU follows the operator.

Bottlenecks come in two variants. ``paper``: inner width a quarter of the output, stride on the
3x3, no biases under BN, BN on the projection, padded stem pooling; parameters and MACs equal
torchvision's. ``original``: as the original write-up ran them: inner width half of the block's
*input*, stride on the first 1x1, biases everywhere, no BN on the projection.
"""

from collections.abc import Callable

import torch
from torch import nn

from models.layers import IMAGENET_CLASSES, adaptor, norm, stem
from models.registry import register

Attention = Callable[[int], nn.Module]

#: Blocks in each of the four stages (He et al., table 1).
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


class Join(nn.Module):
    """Join residual branch and shortcut, both ``(N, C, H, W)``; then ReLU."""

    def __init__(self, operator: str) -> None:
        super().__init__()
        self.operator = operator

    def forward(self, h: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        match self.operator:
            case "add":
                y = h + x
            case "sub":
                y = h - x
            case "mul":
                y = h * x
            case _:
                y = h
        return torch.relu(y)

    def extra_repr(self) -> str:
        return self.operator


class Block(nn.Module):
    """``y = ReLU(h(x) op s(x))``; s is the identity, or a 1x1 projection where shapes differ."""

    def __init__(self, residual: nn.Module, shortcut: nn.Module, operator: str) -> None:
        super().__init__()
        self.residual = residual
        # The operator "none" does not use the shortcut, so its parameters are left out.
        self.shortcut = shortcut if operator != "none" else None
        self.join = Join(operator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.join(self.residual(x), x if self.shortcut is None else self.shortcut(x))


def basic_residual(
    cin: int, cout: int, stride: int, *, batch_norm: bool, attention: Attention | None
) -> nn.Sequential:
    """Residual branch of two 3x3 convolutions (figure 5, left): ``(N, cin, H, W)`` to
    ``(N, cout, H/stride, W/stride)``; channel attention scales its output."""
    layers = [
        nn.Conv2d(cin, cout, 3, stride=stride, padding=1),
        norm(cout, batch_norm),
        nn.ReLU(inplace=True),
        nn.Conv2d(cout, cout, 3, padding=1),
        norm(cout, batch_norm),
    ]
    return nn.Sequential(*layers, *([attention(cout)] if attention else []))


def bottleneck_residual(
    cin: int, cout: int, stride: int, *, batch_norm: bool, paper: bool
) -> nn.Sequential:
    """Residual branch 1x1 - 3x3 - 1x1 (figure 5, right), same shapes as the basic one."""
    width = cout // 4 if paper else cin // 2
    first, second = (1, stride) if paper else (stride, 1)
    bias = not paper
    return nn.Sequential(
        nn.Conv2d(cin, width, 1, stride=first, bias=bias),
        norm(width, batch_norm),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, stride=second, padding=1, bias=bias),
        norm(width, batch_norm),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, cout, 1, bias=bias),
        norm(cout, batch_norm),
    )


class ResNet(nn.Module):
    """ResNet of depth 18, 34 (basic blocks), 50 or 101 (bottlenecks): ``(N, 3, S, S)`` to
    ``(N, 10)`` logits (probabilities with ``softmax``).

    Args:
        depth: one of ``DEPTHS``.
        operator: one of ``models.OPERATORS``.
        batch_norm: False leaves every batch normalisation out.
        paper: the paper's bottlenecks (depth 50 and 101 only).
        attention: channel attention for the residual branch (basic blocks only).
    """

    def __init__(
        self,
        depth: int,
        *,
        operator: str = "add",
        batch_norm: bool = True,
        softmax: bool = False,
        paper: bool = False,
        attention: Attention | None = None,
    ) -> None:
        super().__init__()
        bottleneck = depth >= 50
        outputs = (256, 512, 1024, 2048) if bottleneck else (64, 128, 256, 512)

        def block(cin: int, cout: int, stride: int) -> Block:
            if bottleneck:
                residual = bottleneck_residual(
                    cin, cout, stride, batch_norm=batch_norm, paper=paper
                )
            else:
                residual = basic_residual(
                    cin, cout, stride, batch_norm=batch_norm, attention=attention
                )
            shortcut: nn.Module = nn.Identity()
            if stride != 1 or cin != cout:
                shortcut = nn.Conv2d(cin, cout, 1, stride=stride, bias=not paper)
                if paper:
                    shortcut = nn.Sequential(shortcut, norm(cout, batch_norm))
            return Block(residual, shortcut, operator)

        self.stem = nn.Sequential(
            *stem(bias=not paper, batch_norm=batch_norm, pool_padding=1 if paper else 0)
        )
        stages, cin = [], 64
        for index, (cout, count) in enumerate(zip(outputs, DEPTHS[depth], strict=True)):
            first = block(cin, cout, 1 if index == 0 else 2)
            stages.append(nn.Sequential(first, *(block(cout, cout, 1) for _ in range(count - 1))))
            cin = cout
        self.stages = nn.Sequential(*stages)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(outputs[-1], IMAGENET_CLASSES)
        self.adaptor = adaptor(softmax=softmax)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.adaptor(self.classifier(self.pool(self.stages(self.stem(x)))))


@register("ResNet18", title="ResNet-18", color="#4192df", marker="o", citation="he2016")
@register("ResNet34", title="ResNet-34", color="#3270d6", marker="s", citation="he2016")
def basic(name: str, *, residual: str, batch_norm: bool, softmax: bool) -> ResNet:
    """ResNet-18 and ResNet-34."""
    return ResNet(depth(name), operator=residual, batch_norm=batch_norm, softmax=softmax)


@register("ResNet50", title="ResNet-50", color="#5063d1", marker="^", citation="he2016")
@register("ResNet101", title="ResNet-101", color="#6258c9", marker="D", citation="he2016")
def bottleneck(
    name: str, *, residual: str, batch_norm: bool, softmax: bool, variant: str
) -> ResNet:
    """ResNet-50 and ResNet-101."""
    return ResNet(
        depth(name),
        operator=residual,
        batch_norm=batch_norm,
        softmax=softmax,
        paper=variant == "paper",
    )


@register("PlainNet18", title="PlainNet-18", color="#d87022", marker="o", citation="he2016")
@register("PlainNet34", title="PlainNet-34", color="#d34812", marker="s", citation="he2016")
def plain_basic(name: str, *, batch_norm: bool, softmax: bool) -> ResNet:
    """PlainNet-18 and PlainNet-34."""
    return basic(name, residual="none", batch_norm=batch_norm, softmax=softmax)


@register("PlainNet50", title="PlainNet-50", color="#c63f2c", marker="^", citation="he2016")
@register("PlainNet101", title="PlainNet-101", color="#b83837", marker="D", citation="he2016")
def plain_bottleneck(name: str, *, batch_norm: bool, softmax: bool, variant: str) -> ResNet:
    """PlainNet-50 and PlainNet-101."""
    settings = {"batch_norm": batch_norm, "softmax": softmax}
    return bottleneck(name, residual="none", variant=variant, **settings)


def depth(name: str) -> int:
    """The number at the end of a network's name."""
    return int(name.partition("Net")[2])
