"""Numbers that follow from definitions, not from records."""

import math

from analysis import protocol
from analysis.original import STATED_SIDE
from analysis.statistics import ALPHA
from analysis.values import Value

#: Side of an MNIST image in pixels.
MNIST_SIDE = 28
CLASSES = 10
#: Loss of guessing, ln 10 nats.
CHANCE_LOSS = math.log(CLASSES)
#: Lower bound of the cross-entropy if ten probabilities are used as logits: -log(e / (e + 9)).
SOFTMAX_FLOOR = -math.log(math.e / (math.e + CLASSES - 1))

#: Error rates within this ratio count as equal, and its logarithm; "much worse" is more than twice
#: the error rate. Reasons: ``protocol.toml``.
ERROR_RATIO = protocol.ratio("error")
MARGIN = math.log(ERROR_RATIO)
MUCH_WORSE_RATIO = protocol.ratio("much-worse")
MUCH_WORSE = math.log(MUCH_WORSE_RATIO)
#: Training losses within this ratio count as equal.
LOSS_RATIO = protocol.ratio("loss")
#: A network has not learned if its loss stays above the first share of the loss of guessing, and
#: has learned if it falls below the second share.
STALLED, LEARNED = 0.5, 0.25
#: A mean gain per block is near 1 if it lies between the inverse of this and this.
GAIN_BOUND = protocol.ratio("gain")

#: Parameters of the 1000-to-10 adaptor, and with it of torchvision's ResNet-50 and -101.
ADAPTOR = 1000 * CLASSES + CLASSES
PAPER_PARAMETERS = {"ResNet50": 25_557_032 + ADAPTOR, "ResNet101": 44_549_160 + ADAPTOR}

#: The constants by name, for the prose.
CONSTANTS: dict[str, Value] = {
    "softmax_floor": Value(SOFTMAX_FLOOR, "loss", ()),
    "chance_loss": Value(CHANCE_LOSS, "loss", ()),
    "chance_accuracy": Value(1 / CLASSES, "accuracy", ()),
    "mnist_size": Value(MNIST_SIDE, "integer", ()),
    "original_size_claim": Value(STATED_SIDE, "integer", ()),
    "imagenet_size": Value(224, "integer", ()),
    "margin": Value(ERROR_RATIO, "ratio", ()),
    "much_worse": Value(MUCH_WORSE_RATIO, "ratio", ()),
    "gain_bound": Value(GAIN_BOUND, "ratio", ()),
    "alpha": Value(ALPHA, "p", ()),
}
