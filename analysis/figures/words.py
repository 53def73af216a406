"""What figures say in both languages: names, numbers and lists."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

import models

Lang = Literal["zh", "en"]

#: Operators of ResNet-18 by variant.
OPERATORS: dict[str, dict[Lang, str]] = {
    "ResNet18": {"en": "add", "zh": "加法"},
    "ResNet18-sub": {"en": "subtract", "zh": "减法"},
    "PlainNet18": {"en": "none", "zh": "无连接"},
    "ResNet18-mul": {"en": "multiply", "zh": "乘法"},
    "ResNet18-mul-nobn": {"en": "multiply, no BN", "zh": "乘法，无 BN"},
}

_OPTIONS: dict[str, dict[Lang, str]] = {
    "paper": {"en": "paper", "zh": "论文"},
    "softmax": {"en": "with Softmax", "zh": "带 Softmax"},
    "stable": {"en": "trained until stable", "zh": "训练至稳定"},
    "sub": {"en": "subtract", "zh": "减法"},
    "mul": {"en": "multiply", "zh": "乘法"},
    "nobn": {"en": "no BN", "zh": "无 BN"},
}

TEXT: dict[Lang, dict[str, str]] = {
    "en": {
        "test accuracy": "Test accuracy (%)",
        "validation accuracy": "Validation accuracy (%)",
        "training loss": "Training loss",
        "log error": ", error on a log scale",
        "epoch": "Epoch",
        "missing": "No run yet: {}.",
        "diverged": "diverged, step {}",
        "some diverged": "{} of {} diverged",
        "seeds": "Mean of {} runs",
        "chance": "guessing",
    },
    "zh": {
        "test accuracy": "测试准确率（%）",
        "validation accuracy": "验证准确率（%）",
        "training loss": "训练损失",
        "log error": "，误差取对数刻度",
        "epoch": "训练轮数",
        "missing": "尚无运行：{}。",
        "diverged": "第 {} 步发散",
        "some diverged": "{1} 次中 {0} 次发散",
        "seeds": "{} 次运行的均值",
        "chance": "随机猜测",
    },
}


def name(variant: str, lang: Lang) -> str:
    """How a variant is printed: ``ResNet50-paper`` as "ResNet-50 (paper)"."""
    network, *options = variant.split("-")
    title = models.NETWORKS[network].title
    if not options:
        return title
    said = [_OPTIONS[option][lang] if option in _OPTIONS else option for option in options]
    return f"{title} ({', '.join(said)})" if lang == "en" else f"{title}（{'，'.join(said)}）"


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction as a percentage."""
    return f"{100 * fraction:.{digits}f}%"


def count(value: int) -> str:
    """A count with its thousands grouped, as the report prints it."""
    return f"{value:,}"


def number(value: float) -> str:
    """Three significant digits; very large and small numbers as powers of ten."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa} × 10{superscript(int(exponent))}"
    return f"{value:#.3g}".removesuffix(".")


def loss(value: float) -> str:
    """A loss in nats to three decimals."""
    return f"{value:.3f}"


def superscript(exponent: int) -> str:
    """An exponent as raised digits."""
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def listed(items: Iterable[str], lang: Lang) -> str:
    """A list in running text."""
    if lang == "zh":
        return "、".join(items)
    *rest, last = items
    return f"{', '.join(rest)} and {last}" if rest else last


def sentences(parts: Iterable[str], lang: Lang) -> str:
    """Sentences one after another."""
    return ("" if lang == "zh" else " ").join(parts)


def missing_note(variants: Sequence[str], lang: Lang, columns: int = 104) -> list[str]:
    """Lines of small print that name the runs which are missing; none if none is.

    ``columns`` is how many narrow characters a line holds; a Chinese one counts as two.
    """
    if not variants:
        return []
    comma = ", " if lang == "en" else "、"
    words = TEXT[lang]["missing"].format(comma.join(name(v, lang) for v in variants))
    lines, line = [], ""
    for piece in words.replace(comma, comma + "\0").split("\0"):
        if line and columns_of(line + piece) > columns:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line]


def columns_of(text: str) -> int:
    """How many narrow characters wide a text is."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
