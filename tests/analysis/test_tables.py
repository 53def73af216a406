"""Tables hold what the records say, with sources, whichever runs there are."""

from __future__ import annotations

import dataclasses
import time
import tomllib
from pathlib import Path

import pytest

from analysis import original
from analysis.evidence import Evidence
from analysis.findings import evaluate
from analysis.records import Records
from analysis.tables import Cell, Found, Table, tables
from analysis.values import Value
from experiments import study
from experiments.versions import in_fp32
from report.base.errors import TEMPLATES
from tests.factory import Outcome, any_records, make, outcome

NOTHING = Records(Path("quick"), "quick", {})
LABELS = tomllib.loads((TEMPLATES / "labels.toml").read_text(encoding="utf-8"))


def made(records: Records) -> dict[str, Table]:
    return tables(Found(Evidence(records), evaluate(records)))


def rows(table: Table) -> list[dict[str, Cell]]:
    return [
        {column.key: cell for column, cell in zip(table.columns, row, strict=True)}
        for row in table.rows
    ]


def row(table: Table, key: str, text: str) -> dict[str, Cell]:
    (found,) = [item for item in rows(table) if item[key].value == text]
    return found


def number(cell: Cell) -> float:
    assert isinstance(cell.value, Value)
    return cell.value.value


def check(table: Table, records: Records) -> None:
    """Cells fit their columns; notes and words are known; sources are fields of these records."""
    for cells in rows(table):
        for column in table.columns:
            cell = cells[column.key]
            assert not cell.note or f"note_{cell.note}".replace("-", "_") in LABELS
            numbers = [cell.value] if isinstance(cell.value, Value) else cell.value
            if isinstance(numbers, str):
                assert column.kind in ("text", "word", "claim", "verdict")
                assert column.kind != "word" or f"word_{numbers}".replace("-", "_") in LABELS
                continue
            for found in (*(numbers or ()), *(cell.interval or ())):
                assert column.kind in (found.kind, "value")
                assert {source.record for source in found.sources} <= {*table.runs}
                assert not (column.original and found.sources)
    assert set(table.runs) <= set(records.by_id)


@pytest.mark.parametrize("profile", ["smoke", "quick", "standard", "full"])
def test_complete_profiles(profile: str) -> None:
    records = make(profile=profile)
    found = made(records)
    assert list(found) == list(made(NOTHING))
    for table in found.values():
        check(table, records)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_runs_there_are_it_never_fails(seed: int) -> None:
    records = any_records(seed, absent=0.2)
    for table in made(records).values():
        check(table, records)


def test_no_records() -> None:
    records = NOTHING
    found = made(records)
    assert len(found["results"].rows) == 10
    assert all(cells["accuracy"].note == "missing" for cells in rows(found["results"]))


def test_results_has_the_originals_figures_beside_ours() -> None:
    table = made(make())["results"]
    assert len(table.rows) == 10
    for cells in rows(table)[:9]:
        assert number(cells["parameters"]) == number(cells["original_parameters"])
        ratio = number(cells["original_macs"]) / number(cells["macs"])
        note = cells["original_macs"].note
        assert round(ratio) == (4 if note == "batch-of-four" else 1)
    assert rows(table)[9]["original_accuracy"].value is None
    assert row(table, "network", "SE-ResNet-18")["original_accuracy"].mark == "best"
    assert "SEAlexNet" not in original.load().network


def test_best_and_second_follow_the_records() -> None:
    specs = {
        "LeNet": outcome("LeNet", accuracy=0.995),
        "AlexNet": outcome("AlexNet", accuracy=0.99),
        "SEAlexNet": outcome("SEAlexNet", accuracy=0.99),
    }
    table = made(make(specs=specs))["results"]
    marks = {str(cells["network"].value): cells["accuracy"].mark for cells in rows(table)}
    assert marks["LeNet"] == "best"
    assert marks["AlexNet"] == marks["SE-AlexNet"] == "second"  # a tie shares the mark
    assert sum(mark != "" for mark in marks.values()) == 3


def test_what_the_best_does_not_beat_is_noted() -> None:
    table = made(make())["results"]
    assert row(table, "network", "ResNet-18")["accuracy"].note == "tied"
    assert row(table, "network", "LeNet")["accuracy"].note == ""


def test_intervals_are_over_images_for_one_run_and_over_seeds_for_several() -> None:
    one = row(made(make())["results"], "network", "ResNet-18")
    several = row(made(make(seeds=3))["results"], "network", "ResNet-18")
    assert number(one["seeds"]) == 1
    assert number(several["seeds"]) == 3
    assert isinstance(several["accuracy"].value, Value)
    assert len(several["accuracy"].value.sources) == 3
    for cells in (one, several):
        assert cells["accuracy"].interval is not None
        low, high = cells["accuracy"].interval
        assert low.value < number(cells["accuracy"]) < high.value


def test_diverged_missing_and_partly_diverged_runs_show() -> None:
    specs = {
        "ResNet18-mul": outcome("ResNet18-mul", status="diverged"),
        "ResNet18-sub.s0": outcome("ResNet18-sub", status="diverged"),
    }
    table = made(make(specs=specs, seeds=2, without=["ResNet18-mul-nobn"]))["operators"]
    assert row(table, "operator", "mul")["accuracy"] == Cell(note="diverged")
    assert row(table, "operator", "mul-nobn")["accuracy"].note == "missing"
    assert row(table, "operator", "sub")["accuracy"].note == "some-diverged"


def test_widths_by_definition_until_the_paper_variants_are_run() -> None:
    alone = rows(made(make())["widths"])
    assert alone[1]["parameters"].note == "by-definition"
    assert alone[1]["accuracy"].note == "not-planned"
    both = rows(made(make(profile="standard"))["widths"])
    assert both[1]["accuracy"].value is not None
    assert both[0]["ratio"].interval is not None
    assert number(both[1]["parameters"]) == number(alone[1]["parameters"])


def test_recipes_are_grouped() -> None:
    table = made(make(profile="smoke"))["recipes"]
    lenet = row(table, "networks", "LeNet")
    assert number(lenet["input_size"]) == 28
    assert number(row(table, "networks", "AlexNet, SE-AlexNet")["runs"]) == 2
    assert sum(number(cells["runs"]) for cells in rows(table)) == 16


def test_recipes_name_both_precisions_of_a_study_made_on_two_machines() -> None:
    records = make(profile="smoke", seeds=2)
    one = records.by_id["LeNet.s1"]
    by_id = records.by_id | {one.id: one.model_copy(update={"config": in_fp32(one.config)})}
    table = made(dataclasses.replace(records, by_id=by_id))["recipes"]
    assert row(table, "networks", "LeNet")["precision"].value == "bf16, fp32"
    assert row(table, "networks", "AlexNet, SE-AlexNet")["precision"].value == "bf16"


def test_claims_lists_every_finding_with_its_verdict() -> None:
    records = make(without=["LeNet"])
    findings = evaluate(records)
    table = tables(Found(Evidence(records), findings))["claims"]
    assert [cells["claim"].value for cells in rows(table)] == list(findings)
    lowest = row(table, "claim", "lenet-lowest")
    assert lowest["verdict"].value == "not_testable"
    assert lowest["effect"].value is lowest["p"].value is None
    assert row(table, "claim", "plain-degrades")["original"].note == "chart"
    best = row(table, "claim", "se-best")["original"].value
    assert isinstance(best, tuple)
    assert [item.value for item in best] == [0.9913, 0.9888]


def test_own_experiments_stand_against_the_studys_run() -> None:
    load = study.load()
    ratio = load.config("quick", "SEResNet34", {"ratio": 4})
    slower = load.config("quick", "ResNet18", {"residual": "sub"}, learning_rate=5e-4, seed=3)
    broken = load.config("quick", "DenseNet", {}, learning_rate=1.0)
    extra = [
        (ratio, Outcome(accuracy=0.99)),
        (slower, Outcome(accuracy=0.9752)),
        (broken, Outcome(status="diverged")),
    ]
    records = make(extra=extra)
    table = made(records)["own-experiments"]
    check(table, records)
    first = row(table, "run", "SEResNet34-ratio4.s0")
    assert first["reference"].value == "SEResNet34.s0"
    assert first["changes"].value == "ratio=4"
    assert number(first["difference"]) == pytest.approx(0.99 - 0.9739)
    assert number(first["p"]) < 0.001
    second = row(table, "run", "ResNet18-sub-lr0.0005.s3")
    assert second["reference"].value == "ResNet18-sub.s0"
    assert second["changes"].value == "learning_rate=0.0005"
    third = row(table, "run", "DenseNet-lr1.s0")
    assert third["accuracy"].note == "diverged"
    assert third["difference"].value is None


def test_own_experiment_on_other_images_is_not_compared() -> None:
    config = study.load().config("quick", "DenseNet", {"growth_rate": 16}, test_images=500)
    table = made(make(extra=[(config, Outcome())]))["own-experiments"]
    assert rows(table)[0]["difference"].note == "not-comparable"


def test_speed() -> None:
    records = make()
    made(records)
    start = time.process_time()
    made(records)
    assert time.process_time() - start < 0.5
