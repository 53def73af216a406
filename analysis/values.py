"""Numbers that know where they came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: How a value is printed: an accuracy as 98.36 %, a difference of accuracies in percentage points,
#: a count with its thousands grouped, params as 11.70 M, macs as 1.80 G, a loss to three decimals,
#: p as a p-value, ratio as a factor, gain and weight to three significant digits, duration in
#: seconds or minutes, rate in images a second, integer plain.
Kind = Literal[
    "accuracy",
    "difference",
    "count",
    "params",
    "macs",
    "loss",
    "p",
    "ratio",
    "gain",
    "weight",
    "duration",
    "rate",
    "bytes",
    "integer",
    "learning_rate",
]


@dataclass(frozen=True, order=True)
class Source:
    """A field of a record: ``Source("ResNet18.s0", "test.accuracy")``.

    A record of another folder than the report's own goes by the folder too:
    ``quick-fashionmnist/ResNet18.s0``.
    """

    record: str
    field: str


@dataclass(frozen=True)
class Value:
    """A number with its kind and every record field that it depends on."""

    value: float
    kind: Kind
    sources: tuple[Source, ...]

    @classmethod
    def derived(cls, value: float, kind: Kind, *parts: Value | Iterable[Value]) -> Value:
        """A number computed from others: it inherits all their sources."""
        sources: set[Source] = set()
        for part in parts:
            for item in [part] if isinstance(part, Value) else part:
                sources.update(item.sources)
        return cls(value, kind, tuple(sorted(sources)))

    def of_folder(self, folder: str) -> Value:
        """The same number, from the records of another folder."""
        sources = tuple(Source(f"{folder}/{item.record}", item.field) for item in self.sources)
        return Value(self.value, self.kind, sources)
