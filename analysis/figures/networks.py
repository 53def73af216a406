"""LeNet, AlexNet and ResNet from input to output, with the shape after each step."""

from analysis.constants import CONSTANTS, MNIST_SIDE
from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.text import Words

SIZE = int(CONSTANTS["imagenet_size"].value)
#: A step: key of its text, channels and side of its output (1: a vector), number in the text.
Step = tuple[str, int, int, object]
#: As models/lenet.py, alexnet.py and resnet.py build them, at 224 pixels.
NETWORKS: dict[str, tuple[Step, ...]] = {
    "LeNet": (
        ("input", 1, MNIST_SIDE, ""),
        ("convolution", 6, 28, 5),
        ("pooling", 6, 14, 2),
        ("convolution", 16, 10, 5),
        ("pooling", 16, 5, 2),
        ("linear", 120, 1, ""),
        ("linear", 84, 1, ""),
        ("linear", 10, 1, ""),
    ),
    "AlexNet": (
        ("input", 3, SIZE, ""),
        ("convolution", 96, 54, 11),
        ("max_pooling", 96, 26, 3),
        ("convolution", 256, 26, 5),
        ("max_pooling", 256, 12, 3),
        ("two_convolutions", 384, 12, 3),
        ("convolution", 256, 12, 3),
        ("max_pooling", 256, 5, 3),
        ("two_linear", 4096, 1, ""),
        ("linear", 1000, 1, ""),
        ("adaptor", 10, 1, ""),
    ),
    "ResNet": (
        ("input", 3, SIZE, ""),
        ("convolution", 64, 112, 7),
        ("max_pooling", 64, 55, 3),
        ("stage", 64, 55, 1),
        ("stage", 128, 28, 2),
        ("stage", 256, 14, 3),
        ("stage", 512, 7, 4),
        ("average", 512, 1, ""),
        ("linear", 1000, 1, ""),
        ("adaptor", 10, 1, ""),
    ),
}
LEARNED = ("convolution", "two_convolutions", "linear", "two_linear", "adaptor", "stage")


def draw(evidence: Evidence, words: Words) -> Diagram:
    """One network below the other; learned layers in the network's colour."""
    networks, said = [], []
    for network, steps in NETWORKS.items():
        colour = theme.look("ResNet34" if network == "ResNet" else network).colour
        title = words(f"title_{network}")
        drawn = [
            (words(key, number=number), *shape, colour if key in LEARNED else theme.NEUTRAL)
            for key, *shape, number in steps
        ]
        networks.append((title, drawn))
        shapes = [f"{c} × {s} × {s}" if s > 1 else str(c) for _, c, s, _ in steps]
        said.append(words("one", network=title, shapes=words("comma").join(shapes)))
    alt = words("alt", networks=words.clauses(said))
    return Diagram("networks", 4.3, alt=alt, networks=networks)
