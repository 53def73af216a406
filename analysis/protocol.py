"""The test of each finding, and when it was fixed (``protocol.toml``)."""

from __future__ import annotations

import datetime
import functools
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

_FILE = Path(__file__).with_suffix(".toml")

Family = Literal["confirmatory", "exploratory", "none"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Part):
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


class Entry(_Part):
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


class Protocol(_Part):
    """The whole of ``protocol.toml``."""

    fixed: dict[str, Fixed]
    verdict: dict[str, Text]
    family: dict[Family, Text]
    unit: dict[str, Text]
    statistic: dict[str, Text]
    margin: dict[str, Margin]
    finding: dict[str, Entry]

    @model_validator(mode="after")
    def _keys_exist(self) -> Protocol:
        for name, entry in self.finding.items():
            for table in ("unit", "statistic", "margin", "family", "fixed"):
                if getattr(entry, table) not in getattr(self, table):
                    raise ValueError(f"finding.{name}.{table}: no [{table}.…] of that name")
        return self


@functools.cache
def load() -> Protocol:
    """The protocol, read once."""
    return Protocol.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def ratio(margin: str) -> float:
    """The ratio of a margin.

    Raises:
        LookupError: the margin has no ratio.
    """
    found = load().margin[margin].ratio
    if found is None:
        raise LookupError(f"protocol.toml: [margin.{margin}] has no ratio")
    return found
