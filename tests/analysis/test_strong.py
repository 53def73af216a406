"""The strong recipe stands beside the original's: a table, a finding and a section of its own."""

from __future__ import annotations

import dataclasses
import functools
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.evidence import Evidence
from analysis.figures import figures
from analysis.findings import Finding, Verdict, evaluate
from analysis.findings.base import REGISTRY
from analysis.records import STRONG, Records
from analysis.results import summarise
from analysis.setting import command, setting
from analysis.tables import Found, Table, tables
from experiments import study
from experiments.training.optimizer import AVERAGED_SHARE
from experiments.training.transforms import GROWTH, SHIFT, TURN
from report.base.errors import TEMPLATES
from report.blocks.numbers import LANGS, Lang
from report.documents import document
from report.templating.sections import discover
from tests.analysis.test_tables import check as check_table
from tests.analysis.test_tables import number, row, rows
from tests.factory import Outcome, make, outcome
from tests.report_kit import material

FINDING = "strong-recipe-better"
PLANNED = ("ResNet18-strong", "DenseNet-strong", "SEResNet18-strong", "SEResNet34-strong")


def quick(
    *accuracies: float, status: str = "finished", seeds: int = 1, **changes: float
) -> Records:
    """The quick profile with strong runs of the study's networks, in their order."""
    variants = zip(PLANNED, accuracies, strict=False)
    extra = [
        (
            study.load().config("quick", STRONG[variant], {}, recipe="strong", seed=seed),
            Outcome(accuracy + 1e-4 * seed, status=status),  # type: ignore[arg-type]
        )
        for variant, accuracy in variants
        for seed in range(seeds)
    ]
    specs = {name: outcome(name, accuracy=accuracy) for name, accuracy in changes.items()}
    return make(extra=extra, specs=specs, seeds=seeds)


@functools.cache
def both() -> Records:
    return quick(0.987, 0.982, 0.988, 0.986)


def found(records: Records) -> Finding:
    return evaluate(records)[FINDING]


def made(records: Records) -> dict[str, Table]:
    return tables(Found(Evidence(records), evaluate(records)))


# --- The finding --------------------------------------------------------------------------------


def test_one_strong_network_must_beat_every_other() -> None:
    finding = found(both())
    assert (finding.verdict, finding.test, finding.seeds) == (Verdict.SUPPORTED, "images", 1)
    assert (finding.facts["best"], finding.facts["same"]) == ("SE-ResNet-18", True)
    assert finding.effect is not None
    assert finding.effect.value == pytest.approx((1 - 0.988) / (1 - 0.9767), rel=1e-2)
    assert {f"{variant}.s0" for variant in PLANNED} <= set(finding.runs)
    assert "PlainNet18.s0" not in finding.runs
    close = found(quick(0.987, 0.982, 0.988, 0.986, ResNet18=0.9876))
    assert (close.verdict, close.facts["rival"]) == (Verdict.INCONCLUSIVE, "ResNet-18")
    assert found(quick(0.95, 0.951, 0.952)).verdict is Verdict.CONTRADICTED
    assert found(quick(0.9, 0.987)).verdict is Verdict.SUPPORTED  # any one will do
    assert found(quick(0.98, status="diverged")).verdict is Verdict.CONTRADICTED


def test_several_seeds_are_tested_across_seeds() -> None:
    finding = found(quick(0.987, 0.982, seeds=3))
    assert (finding.verdict, finding.test, finding.seeds) == (Verdict.SUPPORTED, "seeds", 3)


def test_without_a_strong_run_it_is_not_testable() -> None:
    for records in (make(), quick(0.98, status="failed")):
        assert found(records).verdict is Verdict.NOT_TESTABLE
        assert records.strong == ()
    planned = found(make(profile="standard", seeds=1, without=PLANNED))
    assert (planned.verdict, planned.missing) == (Verdict.NOT_TESTABLE, PLANNED)


# --- Never mixed --------------------------------------------------------------------------------


def test_nothing_else_knows_of_strong_runs() -> None:
    """Strong runs change their own finding and table, and the row of that finding."""
    with_them, without = both(), make()
    ours, theirs = evaluate(with_them), evaluate(without)
    family = {name for name, item in REGISTRY.items() if item.family == "exploratory"}
    differing = {name for name in ours if ours[name] != theirs[name]}
    assert FINDING in differing <= family
    for name in differing - {FINDING}:  # its place in the order of Holm's family
        assert replace(ours[name], p=None) == replace(theirs[name], p=None)
    table, other = (
        tables(Found(Evidence(records), findings))
        for records, findings in ((with_them, ours), (without, theirs))
    )
    assert {name for name in table if table[name] != other[name]} == {"strong", "claims", "runs"}
    for row_of, other_row in zip(
        rows(table["claims"])[:-1], rows(other["claims"])[:-1], strict=True
    ):
        unlike = {name for name in row_of if row_of[name] != other_row[name]}
        assert unlike <= ({"p"} if row_of["claim"].value in differing else set())
    claim = row(table["claims"], "claim", FINDING)
    assert (claim["original"].value, claim["original"].note) == (None, "")  # none of the original's
    for module in figures().values():
        assert module.runs(with_them) == module.runs(without)
    assert with_them.extra == []
    assert with_them.strong == tuple(v for v in STRONG if v in PLANNED)
    assert setting(with_them) == setting(without)
    ours, theirs = (summarise(records, {}).layers for records in (with_them, without))
    assert [layers.name for layers in ours] == [layers.name for layers in theirs]


def test_planned_strong_runs_are_not_in_the_recipes_nor_in_the_profile() -> None:
    records = make(profile="standard", seeds=1)
    networks = " ".join(str(cells["networks"].value) for cells in rows(made(records)["recipes"]))
    assert "strong" not in networks
    own = {record.id: run for record in records if (run := record).config.recipe == "original"}
    assert setting(records) == setting(records.only(own))


def test_ones_own_settings_of_the_strong_recipe_are_own_experiments() -> None:
    config = study.load().config("quick", "DenseNet", {}, recipe="strong", epochs=9)
    records = make(extra=[(config, Outcome(0.99))])
    own = row(made(records)["own-experiments"], "run", "DenseNet-strong-e9.s0")
    assert own["changes"].value == "epochs=9, recipe=strong"
    assert own["reference"].value == "DenseNet.s0"
    assert records.strong == ()
    assert found(records).verdict is Verdict.NOT_TESTABLE
    assert made(records)["strong"].rows == ()


# --- The table ----------------------------------------------------------------------------------


def test_the_table_pairs_each_network_with_itself() -> None:
    table = made(both())["strong"]
    check_table(table, both())
    assert [cells["network"].value for cells in rows(table)] == [
        "ResNet-18",
        "DenseNet",
        "SE-ResNet-18",
        "SE-ResNet-34",
    ]
    dense = row(table, "network", "DenseNet")
    assert number(dense["plain"]) == pytest.approx(0.9748)
    assert number(dense["accuracy"]) == pytest.approx(0.982)
    assert number(dense["difference"]) == pytest.approx(0.982 - 0.9748)
    assert (number(dense["plain_epochs"]), number(dense["epochs"])) == (2, 4)
    assert dense["ratio"].interval is not None
    assert number(dense["p"]) < 0.05


def test_the_table_shows_what_is_planned_and_missing() -> None:
    assert made(make())["strong"].rows == ()
    records = make(profile="standard", seeds=1, without=["DenseNet-strong", "ResNet18"])
    table = made(records)["strong"]
    assert row(table, "network", "DenseNet")["accuracy"].note == "missing"
    assert row(table, "network", "ResNet-18")["plain"].note == "missing"
    assert row(table, "network", "ResNet-18")["difference"].value is None


# --- The study ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["quick", "standard", "full"])
def test_strong_runs_differ_in_recipe_and_epochs_alone(profile: str) -> None:
    load = study.load()
    planned = {p.id: p.config for p in load.plan(profile) if p.config.recipe == "strong"}
    seeds = {"quick": (), "standard": (0, 1, 2), "full": (0,)}[profile]
    assert set(planned) == {f"{variant}.s{seed}" for variant in PLANNED for seed in seeds}
    for variant in PLANNED:
        plain = load.config(profile, STRONG[variant], {})
        strong = load.config(profile, STRONG[variant], {}, recipe="strong")
        assert strong.epochs >= 2 * plain.epochs
        changes = {"recipe": "strong", "epochs": strong.epochs}
        assert strong == plain.model_copy(update=changes)
        assert load.run_id(profile, strong) == f"{variant}.s0"
        longer = strong.model_copy(update={"epochs": plain.epochs})
        assert load.run_id(profile, longer) == f"{variant}-e{plain.epochs}.s0"


def test_a_card_tells_how_to_repeat_a_strong_run() -> None:
    own = study.load().config("quick", "DenseNet", {}, recipe="strong", epochs=9)
    records = quick(0.987, 0.982)
    assert command(records.by_id["DenseNet-strong.s0"]) == (
        "make experiment MODEL=DenseNet PROFILE=quick SEED=0 RECIPE=strong"
    )
    (run,) = make(extra=[(own, Outcome())]).extra
    assert command(run).endswith("SEED=0 RECIPE=strong EPOCHS=9")


# --- The prose ----------------------------------------------------------------------------------


def section(folder: Path, records: Records, lang: Lang) -> str:
    """The section as it stands in the templates, as HTML."""
    shutil.copytree(
        TEMPLATES, folder, ignore=lambda _, names: [n for n in names if n[:1].isdigit()]
    )
    for one in LANGS:
        shutil.copy(TEMPLATES / f"sections/100-scope.{one}.md", folder / "sections")
    composed = document.compose(folder, material(records), discover(folder), lang, pdf=False)
    return composed.parts[0].html


@pytest.mark.parametrize("lang", LANGS)
def test_the_section_shows_table_and_finding_where_there_are_strong_runs(
    tmp_path: Path, lang: Lang
) -> None:
    with_them = section(tmp_path / "with", both(), lang)
    assert 'data-verdict="supported"' in with_them
    assert f'id="{lang}-tab-strong"' in with_them
    without = section(tmp_path / "without", make(), lang)
    assert f'id="{lang}-tab-strong"' not in without
    assert 'class="finding' not in without


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    ("verdict", "accuracies", "changes"),
    [
        ("contradicted", (0.95, 0.951), {}),
        ("inconclusive", (0.9769,), {}),
        ("inconclusive", (0.976,), {}),
        ("supported", (0.99,), {"ResNet18": 0.98}),
    ],
)
def test_every_verdict_has_its_wording(
    tmp_path: Path,
    lang: Lang,
    verdict: str,
    accuracies: tuple[float, ...],
    changes: dict[str, float],
) -> None:
    text = section(tmp_path / "t", quick(*accuracies, **changes), lang)
    assert f'data-verdict="{verdict}"' in text
    assert "ResNet-18" in re.sub(r"<[^>]+>", "", text)


def test_the_prose_states_the_recipe_of_the_code() -> None:
    for lang in LANGS:
        text = (TEMPLATES / f"sections/100-scope.{lang}.md").read_text(encoding="utf-8")
        assert rf"\left|\varphi\right|\le{TURN:g}^\circ" in text
        assert rf"\left|\lambda-1\right|\le{GROWTH:g}" in text
        assert rf"\left|d_x\right|\le{SHIFT:g}" in text
        assert rf"\frac{{T}}{{{1 / AVERAGED_SHARE:g}}}" in text


def test_a_missing_network_of_the_originals_recipe_is_named(tmp_path: Path) -> None:
    records = both()
    kept = {name: run for name, run in records.by_id.items() if name != "LeNet.s0"}
    text = section(tmp_path / "t", dataclasses.replace(records, by_id=kept), "en")
    assert 'data-verdict="not_testable"' in text
    assert "LeNet" in text
