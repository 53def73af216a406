"""The residual block with each operator."""

from __future__ import annotations

from analysis.figures.common import theme
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.text import Lang, Words
from analysis.records import Records

ID = "residual-block"

#: Variant, sign of the operator (none without a shortcut), and what the block computes.
BLOCKS = (
    ("ResNet18", "+", "ReLU(h(x) + x)"),
    ("ResNet18-sub", "−", "ReLU(h(x) − x)"),
    ("ResNet18-mul", "×", "ReLU(h(x) × x)"),
    ("PlainNet18", "", "ReLU(h(x))"),
)


def runs(records: Records) -> tuple[str, ...]:
    """None: the figure does not depend on records."""
    return ()


def draw(records: Records, lang: Lang) -> Diagram:
    """Four blocks side by side, from the input above to the output below."""
    words = Words(ID, lang)
    operators = [
        (sign, words.operator(variant), formula, theme.look(variant).colour)
        for variant, sign, formula in BLOCKS
    ]
    return Diagram("residual-block", 3.2, operators=operators, convolution=words("convolution"))


def alt(records: Records, lang: Lang) -> str:
    """What the figure shows, in words."""
    words = Words(ID, lang)
    named = [f"{words.operator(variant)} {formula}" for variant, _, formula in BLOCKS]
    return words("alt", operators=words.clauses(named))
