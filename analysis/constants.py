"""Numbers that follow from definitions, not from records."""

from __future__ import annotations

import math

from analysis.original import STATED_SIDE
from analysis.statistics import ALPHA
from analysis.values import Value

#: Side of an MNIST image in pixels.
MNIST_SIDE = 28
CLASSES = 10
#: Loss of guessing, ln 10 nats.
CHANCE_LOSS = math.log(CLASSES)
#: Least cross-entropy of ten probabilities taken for logits: -log(e / (e + 9)).
SOFTMAX_FLOOR = -math.log(math.e / (math.e + CLASSES - 1))

#: Differences of accuracy below this count as none, above as not close (one percentage point).
MARGIN = 0.01
#: "Much worse" is worse by more than this (five percentage points).
MUCH_WORSE = 0.05
#: Final training losses of single runs differ if one is this many times the other.
LOSS_RATIO = 1.25
#: A network has not learned if its loss stays above this share of the loss of guessing, and has
#: learned if it falls below the second.
STALLED, LEARNED = 0.5, 0.25
#: A gain is near 1 from 1/2 to 2.
GAIN_BOUND = 2.0
#: Channel weights differ if their range exceeds this. In the blocks of untrained SE-ResNets it is
#: 0.06 to 0.22 (three seeds, 36 to 112 px).
RANGE_BOUND = 0.25

#: Parameters of the 1000-to-10 adaptor, and with it of torchvision's ResNet-50 and -101.
ADAPTOR = 1000 * CLASSES + CLASSES
PAPER_PARAMETERS = {"ResNet50": 25_557_032 + ADAPTOR, "ResNet101": 44_549_160 + ADAPTOR}


#: All of them by name, for the prose.
CONSTANTS: dict[str, Value] = {
    "softmax_floor": Value(SOFTMAX_FLOOR, "loss", ()),
    "chance_loss": Value(CHANCE_LOSS, "loss", ()),
    "chance_accuracy": Value(1 / CLASSES, "accuracy", ()),
    "mnist_size": Value(MNIST_SIDE, "integer", ()),
    "original_size_claim": Value(STATED_SIDE, "integer", ()),
    "imagenet_size": Value(224, "integer", ()),
    "imagenet_classes": Value(1000, "integer", ()),
    "digit_classes": Value(CLASSES, "integer", ()),
    "margin": Value(MARGIN, "difference", ()),
    "much_worse": Value(MUCH_WORSE, "difference", ()),
    "loss_ratio": Value(LOSS_RATIO, "ratio", ()),
    "stalled_loss": Value(STALLED * CHANCE_LOSS, "loss", ()),
    "learned_loss": Value(LEARNED * CHANCE_LOSS, "loss", ()),
    "gain_bound": Value(GAIN_BOUND, "ratio", ()),
    "range_bound": Value(RANGE_BOUND, "weight", ()),
    "adaptor_parameters": Value(ADAPTOR, "count", ()),
    "paper_resnet50": Value(PAPER_PARAMETERS["ResNet50"], "params", ()),
    "paper_resnet101": Value(PAPER_PARAMETERS["ResNet101"], "params", ()),
    "alpha": Value(ALPHA, "p", ()),
}
