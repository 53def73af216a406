"""The setting of the records and of the original, and the command that repeats a run."""

from collections import Counter

import models
from analysis.records import Records, value
from analysis.schema import Setting
from analysis.values import Kind, Value
from experiments import study
from experiments.datasets import USUAL
from experiments.record import Record

#: The original write-up's setting. It trained on all training images (50,000 after our split).
ORIGINAL: dict[str, Value] = {
    "input_size": Value(224, "integer", ()),
    "epochs": Value(10, "integer", ()),
    "train_images": Value(50_000, "count", ()),
    "test_images": Value(10_000, "count", ()),
}
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
#: Variables of ``make experiment`` by option of a network.
_VARIABLES = {
    "residual": "RESIDUAL",
    "batch_norm": "NO_BN",
    "growth_rate": "GR",
    "ratio": "RATIO",
    "variant": "VARIANT",
}


def setting(records: Records) -> Setting:
    """The setting of a set of records.

    A person's own experiments and the strong recipe count only if there are no other records.
    """
    own = {record.id for record in records.extra}
    usual = [r for r in records if r.id not in own and r.config.recipe == "original"]
    runs = usual or list(records)
    fields = {name: _field(runs, name, kind) for name, kind in _FIELDS.items()} if runs else {}
    return Setting(
        name=records.profile,
        base=study.split_name(records.profile)[0],
        planned=study.load().has(records.profile),
        seeds=len({record.config.seed for record in runs}),
        least_seeds=min(Counter(record.config.variant for record in runs).values(), default=0),
        diverged=sum(record.status == "diverged" for record in runs),
        original_setting=bool(runs) and all(map(_as_original, runs)),
        **fields,
    )


def _as_original(record: Record) -> bool:
    config = record.config
    sized = config.network == "LeNet" or config.input_size == ORIGINAL["input_size"].value
    trained = config.stop == "stable" or config.epochs >= ORIGINAL["epochs"].value
    return (
        config.dataset == USUAL
        and sized
        and trained
        and config.train_images >= ORIGINAL["train_images"].value
        and config.test_images >= ORIGINAL["test_images"].value
    )


def _field(runs: list[Record], name: str, kind: Kind) -> Value:
    """The value of a field in most networks; of two equally frequent ones the larger."""
    by_value: dict[float, list[Record]] = {}
    for record in runs:
        by_value.setdefault(getattr(record.config, name), []).append(record)
    usual = max(
        by_value, key=lambda number: (len({run.config.variant for run in by_value[number]}), number)
    )
    values = [value(record, f"config.{name}", kind) for record in by_value[usual]]
    return Value.derived(usual, kind, values)


def command(record: Record) -> str:
    """The command that repeats a run."""
    config, profile = record.config, record.profile
    base, dataset = study.split_name(profile)
    where = f"PROFILE={base}" + (f" DATASET={dataset}" if dataset != USUAL else "")
    if config.options.get("softmax") or config.stop == "stable":
        return f"make all {where}"  # `make experiment` has no such options
    parts = ["make experiment", f"MODEL={config.network}", where]
    parts.append(f"SEED={config.seed}")
    for option, variable in _VARIABLES.items():
        chosen = config.options.get(option)
        if chosen is not None and chosen != models.DEFAULTS[option]:
            parts.append("NO_BN=1" if option == "batch_norm" else f"{variable}={chosen}")
    if config.recipe != "original":
        parts.append(f"RECIPE={config.recipe}")
    if study.load().has(profile):
        usual = study.load().config(profile, config.network, config.options, recipe=config.recipe)
        if config.epochs != usual.epochs:
            parts.append(f"EPOCHS={config.epochs}")
        if config.learning_rate != usual.learning_rate:
            parts.append(f"LR={config.learning_rate:g}")
    return " ".join(parts)
