"""The residual block with each operator."""

from analysis.evidence import Evidence
from analysis.figures.common import theme
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.text import Words

#: Variant, sign of the operator (none without a shortcut), and what the block computes.
BLOCKS = (
    ("ResNet18", "+", "ReLU(h(x) + x)"),
    ("ResNet18-sub", "−", "ReLU(h(x) − x)"),
    ("ResNet18-mul", "×", "ReLU(h(x) × x)"),
    ("PlainNet18", "", "ReLU(h(x))"),
)


def draw(evidence: Evidence, words: Words) -> Diagram:
    """Four blocks side by side, from the input above to the output below."""
    operators = [
        (sign, words.operator(variant), formula, theme.look(variant).colour)
        for variant, sign, formula in BLOCKS
    ]
    named = words.clauses(f"{name} {formula}" for _, name, formula, _ in operators)
    values = {"operators": operators, "convolution": words("convolution")}
    return Diagram("residual-block", 3.2, alt=words("alt", operators=named), **values)
