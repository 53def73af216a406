"""Numbers with the record fields that they depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator

#: How a value is printed: an accuracy as 98.36 %, a share as 4.9 %, a difference of accuracies in
#: percentage points, a count with its thousands grouped, params as 11.70 M, macs as 1.80 G, a loss
#: to three decimals, p as a p-value, ratio as a factor, gain and weight to three significant
#: digits, duration in seconds or minutes, rate in images per second, integer plain.
Kind = Literal[
    "accuracy",
    "share",
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

    The id of a record in another folder than the report's begins with the folder:
    ``quick-fashionmnist/ResNet18.s0``.
    """

    record: str
    field: str


_source = cache(Source)


def _by_record(sources: Iterable[Source]) -> dict[str, list[str]]:
    """Fields by record, as ``results.json`` holds sources."""
    found: dict[str, list[str]] = {}
    for source in sources:
        found.setdefault(source.record, []).append(source.field)
    return found


def _of_records(fields: Mapping[str, Iterable[str]]) -> tuple[Source, ...]:
    if not isinstance(fields, Mapping):  # the results of an older version
        raise ValueError("expected fields by record")
    return tuple(_source(record, field) for record, each in fields.items() for field in each)


@dataclass(frozen=True)
class Value:
    """A number with its kind and every record field that it depends on."""

    value: int | float
    kind: Kind
    sources: Annotated[tuple[Source, ...], PlainSerializer(_by_record), PlainValidator(_of_records)]

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


def value(record: Any, path: str, kind: Kind) -> Value:
    """A field of a record, or of its entry in the results, as a number with its source.

    ``path`` is dotted, with list indices: ``test.accuracy``, ``history.-1.train_loss``. The source
    has the positive index of the entry.

    Raises:
        LookupError: no such field, or it is not a number.
    """
    parts = path.split(".")
    item: object = record
    for index, part in enumerate(parts):
        if isinstance(item, list | tuple):
            position = int(part)
            parts[index] = str(position % len(item) if item else position)
            item = item[position]
        elif isinstance(item, dict):
            item = item[part]
        else:
            try:
                item = getattr(item, part)
            except AttributeError:
                raise LookupError(f"{record.id}: no field {path!r}") from None
    if isinstance(item, bool) or not isinstance(item, int | float):
        raise LookupError(f"{record.id}: {path!r} is {item!r}, expected a number")
    return Value(item, kind, (Source(record.id, ".".join(parts)),))


def mean(values: list[Value]) -> Value:
    """The mean of values of one kind."""
    total = reduce(lambda total, item: total + item.value, values, 0.0)
    return Value.derived(total / len(values), values[0].kind, values)
