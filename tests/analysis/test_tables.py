"""Tables hold what the records say, with sources. That none fails: ``test_findings``."""

import time
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import original
from analysis.evidence import Evidence
from analysis.findings import evaluate
from analysis.records import Records
from analysis.tables import Cell, Found, tables
from analysis.values import Value
from experiments import study
from report.base.errors import TEMPLATES
from tests.factory import Outcome, altered, make, outcome

NOTHING = Records(Path("quick"), "quick", {})
LABELS = tomllib.loads((TEMPLATES / "labels.toml").read_text(encoding="utf-8"))


def made(records, findings=None, **beside):
    """The tables of records, and of what else is known of them."""
    return tables(Found(Evidence(records), findings or evaluate(records), **beside))


def rows(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def row(table, key, text):
    (found,) = [item for item in rows(table) if item[key].value == text]
    return found


def number(cell):
    return cell.value.value


def check(table, records):
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


def test_a_run_whose_name_is_of_another_seed_has_its_row():
    odd = altered(make(), "ResNet18.s0", config__seed=7)
    only = replace(odd, by_id={"ResNet18.s0": odd.by_id["ResNet18.s0"]})
    (found,) = rows(made(only)["runs"])
    assert (found["network"].value, found["seeds"].value) == ("ResNet-18", "7")


def test_without_records_results_has_its_rows():
    found = rows(made(NOTHING)["results"])
    assert [cells["accuracy"].note for cells in found] == ["missing"] * 10


def test_results_has_the_originals_figures_beside_ours():
    table = made(make())["results"]
    *stated, extra = rows(table)
    assert len(stated) == 9
    for cells in stated:
        assert number(cells["parameters"]) == number(cells["original_parameters"])
        ratio = number(cells["original_macs"]) / number(cells["macs"])
        assert round(ratio) == (4 if cells["original_macs"].note == "batch-of-four" else 1)
    assert extra["original_accuracy"].value is None
    assert row(table, "network", "SE-ResNet-18")["original_accuracy"].mark == "best"
    assert "SEAlexNet" not in original.load().network
    notes = [row(table, "network", name)["accuracy"].note for name in ("ResNet-18", "LeNet")]
    assert notes == ["tied", ""]  # what the best does not beat


def test_best_and_second_follow_the_records():
    accuracies = {"LeNet": 0.995, "AlexNet": 0.99, "SEAlexNet": 0.99}
    specs = {name: outcome(name, accuracy=accuracy) for name, accuracy in accuracies.items()}
    found = rows(made(make(specs=specs))["results"])
    marks = {row["network"].value: row["accuracy"].mark for row in found if row["accuracy"].mark}
    assert marks == {"LeNet": "best", "AlexNet": "second", "SE-AlexNet": "second"}  # a tie


def test_intervals_are_over_images_for_one_run_and_over_seeds_for_several():
    for seeds in (1, 3):
        cells = row(made(make(seeds=seeds))["results"], "network", "ResNet-18")
        assert number(cells["seeds"]) == len(cells["accuracy"].value.sources) == seeds
        low, high = cells["accuracy"].interval
        assert low.value < number(cells["accuracy"]) < high.value


def test_diverged_missing_and_partly_diverged_runs_show():
    diverged = outcome("ResNet18", status="diverged")
    specs = {"ResNet18-mul": diverged, "ResNet18-sub.s0": diverged}
    table = made(make(specs=specs, seeds=2, without=["ResNet18-mul-nobn"]))["operators"]
    assert row(table, "operator", "mul")["accuracy"] == Cell(note="diverged")
    assert row(table, "operator", "mul-nobn")["accuracy"].note == "missing"
    assert row(table, "operator", "sub")["accuracy"].note == "some-diverged"


def test_widths_by_definition_until_the_paper_variants_are_run():
    alone, both = (rows(made(make(profile=name))["widths"]) for name in ("quick", "standard"))
    assert alone[1]["parameters"].note == "by-definition"
    assert alone[1]["accuracy"].note == "not-planned"
    assert both[1]["accuracy"].value is not None
    assert both[0]["ratio"].interval is not None
    assert number(both[1]["parameters"]) == number(alone[1]["parameters"])


def test_recipes_are_grouped_and_name_both_precisions_of_two_machines():
    records = altered(make(profile="smoke", seeds=2), "LeNet.s1", config__precision="fp32")
    table = made(records)["recipes"]
    lenet, alexnets = (row(table, "networks", names) for names in ("LeNet", "AlexNet, SE-AlexNet"))
    assert (number(lenet["input_size"]), lenet["precision"].value) == (28, "bf16, fp32")
    assert (number(alexnets["runs"]), alexnets["precision"].value) == (4, "bf16")
    assert sum(number(cells["runs"]) for cells in rows(table)) == 32


def test_claims_lists_every_finding_with_its_verdict():
    records = make(without=["LeNet"])
    findings = evaluate(records)
    table = made(records, findings)["claims"]
    assert [cells["claim"].value for cells in rows(table)] == list(findings)
    lowest = row(table, "claim", "lenet-lowest")
    assert lowest["verdict"].value == "not_testable"
    assert lowest["effect"].value is lowest["p"].value is None
    assert row(table, "claim", "plain-degrades")["original"].note == "chart"
    best = row(table, "claim", "se-best")["original"].value
    assert [item.value for item in best] == [0.9913, 0.9888]


def test_own_experiments_stand_against_the_studys_run():
    load = study.load()
    own = (
        ("SEResNet34", {"ratio": 4}, {}, Outcome(accuracy=0.99)),
        ("ResNet18", {"residual": "sub"}, {"learning_rate": 5e-4, "seed": 3}, Outcome(0.9752)),
        ("DenseNet", {}, {"learning_rate": 1.0}, Outcome(status="diverged")),
        ("DenseNet", {"growth_rate": 16}, {"test_images": 500}, Outcome()),
        ("DenseNet", {}, {"recipe": "strong", "epochs": 9}, Outcome(0.99)),
    )
    extra = [(load.config("quick", net, some, **rest), spec) for net, some, rest, spec in own]
    records = make(extra=extra)
    found = made(records)
    table = found["own-experiments"]
    check(table, records)
    keys = ("run", "reference", "changes")
    assert {tuple(cells[key].value for key in keys) for cells in rows(table)} == {
        ("SEResNet34-ratio4.s0", "SEResNet34.s0", "ratio=4"),
        ("ResNet18-sub-lr0.0005.s3", "ResNet18-sub.s0", "learning_rate=0.0005"),
        ("DenseNet-lr1.s0", "DenseNet.s0", "learning_rate=1.0"),
        ("DenseNet-gr16.s0", "DenseNet.s0", "test_images=500, growth_rate=16"),
        ("DenseNet-strong-e9.s0", "DenseNet.s0", "epochs=9, recipe=strong"),
    }
    names = ("SEResNet34-ratio4.s0", "DenseNet-lr1.s0", "DenseNet-gr16.s0")
    first, broken, fewer = (row(table, "run", name) for name in names)
    assert number(first["difference"]) == pytest.approx(0.99 - 0.9739)
    assert number(first["p"]) < 0.001
    assert (broken["accuracy"].note, broken["difference"].value) == ("diverged", None)
    assert fewer["difference"].note == "not-comparable"  # judged by other images
    # one's own settings of the strong recipe are none of the study's strong runs
    assert (records.strong, found["strong"].rows) == ((), ())
    finding = row(found["claims"], "claim", "strong-recipe-better")
    assert finding["verdict"].value == "not_testable"


def test_speed():
    records = make()
    made(records)
    start = time.process_time()
    made(records)
    assert time.process_time() - start < 0.5
