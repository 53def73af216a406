"""LeNet-5: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to
document recognition", Proc. IEEE 86(11), 1998, section II-B (figure 2).

As the original write-up ran it: sigmoids, average pooling and a linear output in place of the
paper's scaled tanh, trainable subsampling, sparse C3 connections and RBF output; a padding of 2
stands for the paper's 32x32 frame.
"""

from collections import OrderedDict

from torch import nn

from models.layers import CLASSES
from models.registry import register


@register(
    "LeNet",
    title="LeNet",
    color="#8f9098",
    marker="v",
    citation="lecun1998",
    input_channels=1,
    min_size=28,
    fixed_size=28,
)
def build(_: str) -> nn.Sequential:
    """LeNet: ``(N, 1, 28, 28)`` to ``(N, 10)`` logits."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, 5, padding=2),  # 6 @ 28x28 (the paper's C1)
            act1=nn.Sigmoid(),
            pool1=nn.AvgPool2d(2, stride=2),  # 6 @ 14x14 (S2)
            conv2=nn.Conv2d(6, 16, 5),  # 16 @ 10x10 (C3)
            act2=nn.Sigmoid(),
            pool2=nn.AvgPool2d(2, stride=2),  # 16 @ 5x5 (S4)
            flatten=nn.Flatten(),
            fc1=nn.Linear(16 * 5 * 5, 120),  # C5
            act3=nn.Sigmoid(),
            fc2=nn.Linear(120, 84),  # F6
            act4=nn.Sigmoid(),
            fc3=nn.Linear(84, CLASSES),
        )
    )
