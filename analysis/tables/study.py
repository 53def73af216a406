"""Tables about the study: how each network was trained, its runs, and own experiments."""

from collections.abc import Collection, Mapping
from typing import Any

import models
from analysis.evidence import Evidence, evaluation_sources, title
from analysis.findings.base import difference, interval
from analysis.records import STRONG, mean, value
from analysis.statistics import contrast
from analysis.tables.base import Cell, Column, Found, Table, register, run_accuracy, table
from analysis.tables.comparisons import COMPARED
from analysis.values import Kind, Value
from experiments.record import Record

_RECIPE: dict[str, Kind] = {
    "input_size": "integer",
    "train_images": "count",
    "batch_size": "integer",
    "learning_rate": "learning_rate",
}


@register
def recipes(found: Found) -> Table:
    """How the study's networks were trained in this profile, one row per recipe but the strong one.

    ``networks`` lists those trained by it; ``epochs`` is the mean over the finished runs (it varies
    for runs until stable).
    """
    evidence = found.evidence
    columns = [
        Column("networks", "text"),
        *(Column(key, kind) for key, kind in _RECIPE.items()),
        Column("epochs", "integer"),
        Column("schedule", "word"),
        Column("precision", "word"),
        Column("runs", "integer"),
    ]
    alike: dict[str, list[str]] = {}
    planned = {run_id.rpartition(".s")[0] for run_id in evidence.records.planned}
    for variant in _in_order(evidence.present([*planned - STRONG.keys()])):
        config = evidence.runs(variant)[0].config
        recipe = config.model_dump_json(exclude={"network", "options", "seed", "precision"})
        alike.setdefault(recipe, []).append(variant)
    rows = []
    for variants in alike.values():
        runs = [run for variant in variants for run in evidence.runs(variant)]
        seeds = [value(run, "config.seed", "integer") for run in runs]
        row = {
            "networks": Cell(", ".join(map(title, variants))),
            "schedule": Cell(runs[0].config.schedule),
            "runs": Cell(Value.derived(len(runs), "integer", seeds)),
        }
        for key, kind in _RECIPE.items():
            row[key] = Cell(mean([value(run, f"config.{key}", kind) for run in runs]))
        rows.append(row | _training(runs))
    return table("recipes", columns, rows)


def _in_order(variants: Collection[str]) -> list[str]:
    """Variants in the order of the registry."""
    order = list(models.NETWORKS)
    return sorted(variants, key=lambda v: (order.index(v.partition("-")[0]), v))


def _training(runs: list[Record]) -> dict[str, Cell]:
    """The mean number of epochs of the finished runs, and the precisions of all."""
    finished = [run for run in runs if run.status == "finished" and run.history]
    epochs = [value(run, "history.-1.epoch", "integer") for run in finished]
    precisions = sorted({run.config.precision for run in runs})
    return {
        "epochs": Cell(mean(epochs) if epochs else None),
        "precision": Cell(", ".join(precisions)),
    }


@register
def all_runs(found: Found) -> Table:
    """The study's runs, one row per variant: seeds, setting, accuracies, mean training time."""
    evidence = found.evidence
    columns = [
        Column("network", "text"),
        Column("seeds", "text"),
        Column("train_images", "count"),
        Column("input_size", "integer"),
        Column("epochs", "integer"),
        Column("precision", "text"),
        Column("least", "accuracy"),
        Column("most", "accuracy"),
        Column("time", "duration"),
    ]
    rows = []
    runs_of: dict[str, list[Record]] = {}
    own = {run.id for run in evidence.records.extra}
    for run in evidence.records:
        if run.id not in own:
            runs_of.setdefault(run.config.variant, []).append(run)
    for variant in _in_order(runs_of):
        runs = runs_of[variant]
        done = [value(run, "test.accuracy", "accuracy") for run in evidence.finished(variant)]
        row = {
            "network": Cell(title(variant)),
            "seeds": Cell(_ranges([run.config.seed for run in runs])),
            "train_images": Cell(value(runs[0], "config.train_images", "count")),
            "input_size": Cell(value(runs[0], "config.input_size", "integer")),
            "least": Cell(min(done, key=lambda accuracy: accuracy.value, default=None)),
            "most": Cell(max(done, key=lambda accuracy: accuracy.value, default=None)),
            "time": Cell(mean([value(run, "timing.train_seconds", "duration") for run in runs])),
        }
        rows.append(row | _training(runs))
    return table("runs", columns, rows)


def _ranges(numbers: list[int]) -> str:
    """Numbers as text, successive ones as a range: ``0–4, 7``."""
    there = sorted(set(numbers))
    starts = [number for number in there if number - 1 not in there]
    ends = [number for number in there if number + 1 not in there]
    pairs = zip(starts, ends, strict=True)
    return ", ".join(f"{low}–{high}" if high > low else str(low) for low, high in pairs)


@register
def own_experiments(found: Found) -> Table:
    """A person's own experiments, each against a reference run of the study.

    The reference is the same variant under the study's recipe, else the network with default
    options; with the same seed if there is such a run, else the first run. ``changes`` lists the
    differences of configuration. The comparison is paired on the test images; ``p`` is not
    corrected.
    """
    evidence = found.evidence
    columns = [
        Column("run", "text"),
        Column("changes", "text"),
        Column("status", "word"),
        Column("accuracy", "accuracy"),
        Column("reference", "text"),
        Column("reference_accuracy", "accuracy"),
        *COMPARED,
    ]
    rows = []
    own = own_runs(evidence)
    for run, reference in own:
        row = {
            "run": Cell(run.id),
            "status": Cell(run.status),
            "accuracy": run_accuracy(evidence, run),
        }
        if reference is not None:
            row |= {
                "changes": Cell(written(changes(run, reference))),
                "reference": Cell(reference.id),
                "reference_accuracy": run_accuracy(evidence, reference),
                **_compared(evidence, run, reference),
            }
        rows.append(row)
    return table("own-experiments", columns, rows, tuple(run.id for run, _ in own))


def own_runs(evidence: Evidence) -> list[tuple[Record, Record | None]]:
    """A person's own experiments, each with its reference run of the study.

    Sorted by network, by changed settings and their values, and by id.
    """
    extra = evidence.records.extra
    own = {run.id for run in extra}
    pairs = [(run, _reference(evidence, run, own)) for run in extra]
    return sorted(pairs, key=lambda pair: _place(*pair))


def _place(run: Record, reference: Record | None) -> tuple[Any, ...]:
    changed = changes(run, reference) if reference else {}
    values = [(name, isinstance(item, str), item) for name, item in changed.items()]
    order = list(models.NETWORKS).index(run.config.network)
    return (order, reference.config.variant if reference else "", len(values), values, run.id)


def _reference(evidence: Evidence, run: Record, own: Collection[str]) -> Record | None:
    for variant in (run.config.variant, run.config.network):
        if runs := [other for other in evidence.runs(variant) if other.id not in own]:
            return min(runs, key=lambda other: other.config.seed != run.config.seed)
    return None


def changes(run: Record, reference: Record) -> dict[str, Any]:
    """The settings in which a run differs from its reference, except seed and precision."""
    ours, theirs = configuration(run), configuration(reference)
    return {key: item for key, item in ours.items() if theirs.get(key) != item}


def written(found: Mapping[str, Any]) -> str:
    """Settings as text: ``ratio=4, epochs=3``."""
    return ", ".join(f"{key}={item}" for key, item in found.items())


def configuration(run: Record) -> dict[str, Any]:
    """The settings of a run by name, including options, without seed and precision."""
    found = run.config.model_dump(exclude={"seed", "precision"})
    options: dict[str, Any] = found.pop("options")
    return found | options


def _compared(evidence: Evidence, run: Record, reference: Record) -> dict[str, Cell]:
    if run.test is None or reference.test is None:
        return {}
    if run.test.images != reference.test.images:
        return {"difference": Cell(note="not-comparable")}
    samples = [evidence.of([item]) for item in (run, reference)]
    found = contrast(samples, (1, -1))
    sources = evaluation_sources([run, reference])
    first, second = (value(item, "test.accuracy", "accuracy") for item in (run, reference))
    ratio = Value(samples[0].error / samples[1].error, "ratio", sources)
    return {
        "difference": Cell(difference(first, second)),
        "ratio": Cell(ratio, interval=interval(found, sources)),
        "p": Cell(Value(found.zero.two_sided, "p", sources)),
    }
