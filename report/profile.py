"""What the records say of the setting that they were made in, beside the original's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analysis.records import Records, value
from analysis.values import Kind, Value
from experiments import study
from experiments.datasets import USUAL
from experiments.record import Record

#: The original write-up's setting: its input size in pixels, its epochs; it trained on every image
#: that its split left (50,000 here).
ORIGINAL = {"input_size": 224, "epochs": 10, "train_images": 50_000, "test_images": 10_000}
_FIELDS: dict[str, Kind] = {
    "input_size": "integer",
    "epochs": "integer",
    "train_images": "count",
    "validation_images": "count",
    "test_images": "count",
    "batch_size": "integer",
    "learning_rate": "learning_rate",
    "weight_decay": "learning_rate",
}


@dataclass(frozen=True)
class Setting:
    """One field of the configurations: the usual value, and the networks that differ.

    ``others``: for each other value the networks (variants) that have it.
    """

    usual: Value
    others: tuple[tuple[Value, tuple[str, ...]], ...]


class Profile:
    """The setting of a set of records. Numbers are None without records.

    Attributes:
        name: of the profile, which says the data set too: ``quick-fashionmnist``.
        base: without the data set: ``quick``.
        settings: every field of ``ORIGINAL`` and a few more, by name; also as attributes of the
            same names, giving the usual value.
        original_setting: whether every network ran in the original's setting (data set, input size,
            epochs, images; networks of a fixed input size and runs until stable aside).
        seeds: how many different seeds.
    """

    def __init__(self, records: Records) -> None:
        self.name = records.profile
        # one's own experiments and the strong recipe do not describe the profile, unless there is
        # nothing else
        own = {record.id for record in records.extra}
        usual = [r for r in records if r.id not in own and r.config.recipe == "original"]
        runs = usual or list(records)
        self.runs = runs
        self.settings = {field: _setting(runs, field, kind) for field, kind in _FIELDS.items()}
        self.seeds = len({record.config.seed for record in runs})
        self.original_setting = bool(runs) and all(map(_as_original, runs))
        self.base = study.split_name(self.name)[0]
        self.planned = study.load().has(self.name)

    def __getattr__(self, name: str) -> Value | None:
        if name in _FIELDS:
            setting = self.settings[name]
            return setting.usual if setting else None
        raise AttributeError(name)


def _as_original(record: Record) -> bool:
    config = record.config
    sized = record.config.network == "LeNet" or config.input_size == ORIGINAL["input_size"]
    trained = config.stop == "stable" or config.epochs >= ORIGINAL["epochs"]
    return (
        config.dataset == USUAL
        and sized
        and trained
        and config.train_images >= ORIGINAL["train_images"]
        and config.test_images >= ORIGINAL["test_images"]
    )


def _setting(runs: list[Record], field: str, kind: Kind) -> Setting | None:
    if not runs:
        return None
    by_value: dict[float, list[Record]] = {}
    for record in runs:
        by_value.setdefault(getattr(record.config, field), []).append(record)
    # the value of the most networks, the larger one if two share that
    usual = max(by_value, key=lambda v: (len(_variants(by_value[v])), v))
    others = tuple(
        (_joined(by_value[other], field, kind), _variants(by_value[other]))
        for other in sorted(by_value)
        if other != usual
    )
    return Setting(_joined(by_value[usual], field, kind), others)


def _joined(records: list[Record], field: str, kind: Kind) -> Value:
    values = [value(record, f"config.{field}", kind) for record in records]
    return Value.derived(values[0].value, kind, values)


def _variants(records: Iterable[Record]) -> tuple[str, ...]:
    return tuple(sorted({record.config.variant for record in records}))


def tally(runs: Iterable[Record], what: Callable[[Record], str]) -> list[tuple[str, int]]:
    """How many runs have each text, the most frequent first."""
    return sorted(Counter(map(what, runs)).items(), key=lambda item: (-item[1], item[0]))
