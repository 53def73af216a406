"""The test of each finding, and when it was fixed (``protocol.toml``)."""

import datetime
import functools
import tomllib
from pathlib import Path
from typing import Literal

from experiments.record import Part

_FILE = Path(__file__).with_suffix(".toml")

Family = Literal["confirmatory", "exploratory", "none"]


class Text(Part):
    """A text in both languages."""

    zh: str
    en: str


class Margin(Text):
    """A margin and its reason: a ratio, a share, or neither."""

    ratio: float | None = None
    share: float | None = None


class Fixed(Text):
    """When a test was fixed."""

    date: datetime.date


class Entry(Part):
    """The test of one finding; ``unit`` to ``fixed`` are keys of the protocol's tables.

    ``original``: the original's sentence, or empty; ``english``: its translation.
    ``contradicted``: the meaning of this verdict here.
    """

    original: str
    english: str
    hypothesis: Text
    contradicted: Text
    unit: str
    statistic: str
    margin: str
    family: Family
    fixed: str


class Protocol(Part):
    """The whole of ``protocol.toml``."""

    fixed: dict[str, Fixed]
    verdict: dict[str, Text]
    family: dict[Family, Text]
    unit: dict[str, Text]
    statistic: dict[str, Text]
    margin: dict[str, Margin]
    finding: dict[str, Entry]


@functools.cache
def load() -> Protocol:
    """The protocol, read once."""
    return Protocol.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def ratio(margin: str) -> float:
    """The ratio of a margin.

    Raises:
        LookupError: the margin has no ratio.
    """
    return {name: each.ratio for name, each in load().margin.items() if each.ratio}[margin]
