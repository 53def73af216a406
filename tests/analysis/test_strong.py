"""The strong recipe stands beside the original's: a table, a finding and a section of its own."""

import functools
from dataclasses import replace

import pytest

from analysis.figures import figures
from analysis.findings import evaluate
from analysis.findings.base import REGISTRY
from analysis.records import STRONG
from analysis.results import summarise
from analysis.setting import command, setting
from experiments import study
from experiments.training.optimizer import AVERAGED_SHARE
from experiments.training.transforms import GROWTH, SHIFT, TURN
from report.blocks.numbers import LANGS
from tests.analysis.test_tables import check, made, number, row, rows
from tests.factory import Outcome, make, outcome
from tests.report_kit import material, prose, section, text

FINDING = "strong-recipe-better"
PLANNED = ("ResNet18-strong", "DenseNet-strong", "SEResNet18-strong", "SEResNet34-strong")


def config(variant, profile="quick", **changes):
    return study.load().config(profile, STRONG[variant], {}, recipe="strong", **changes)


def quick(*accuracies, status="finished", seeds=1, **changes):
    """The quick profile with strong runs of the study's networks, in their order."""
    extra = [
        (config(variant, seed=seed), Outcome(accuracy + 1e-4 * seed, status=status))
        for variant, accuracy in zip(PLANNED, accuracies, strict=False)
        for seed in range(seeds)
    ]
    specs = {name: outcome(name, accuracy=accuracy) for name, accuracy in changes.items()}
    return make(extra=extra, specs=specs, seeds=seeds)


@functools.cache
def both():
    return quick(0.987, 0.982, 0.988, 0.986)


@functools.cache
def planned():
    return make(profile="standard", seeds=1)


def found(records):
    return evaluate(records)[FINDING]


def test_one_strong_network_must_beat_every_other():
    finding = found(both())
    assert (finding.verdict, finding.test, finding.seeds) == ("supported", "images", 1)
    assert (finding.facts["best"], finding.facts["same"]) == ("SE-ResNet-18", True)
    assert finding.effect.value == pytest.approx((1 - 0.988) / (1 - 0.9767), rel=1e-2)
    assert {f"{variant}.s0" for variant in PLANNED} <= set(finding.runs)
    assert "PlainNet18.s0" not in finding.runs
    close = found(quick(0.987, 0.982, 0.988, 0.986, ResNet18=0.9876))
    assert (close.verdict, close.facts["rival"]) == ("inconclusive", "ResNet-18")
    assert found(quick(0.95, 0.951, 0.952)).verdict == "contradicted"
    assert found(quick(0.9, 0.987)).verdict == "supported"  # any one will do
    assert found(quick(0.98, status="diverged")).verdict == "contradicted"
    several = found(quick(0.987, 0.982, seeds=3))
    assert (several.verdict, several.test, several.seeds) == ("supported", "seeds", 3)


def test_without_a_strong_run_it_is_not_testable():
    for records in (make(), quick(0.98, status="failed")):
        assert found(records).verdict == "not_testable"
        assert (records.strong, made(records)["strong"].rows) == ((), ())
    missing = found(make(profile="standard", seeds=1, without=PLANNED))
    assert (missing.verdict, missing.missing) == ("not_testable", PLANNED)


def test_nothing_else_knows_of_strong_runs():
    """Strong runs change their own finding and table, and the row of that finding."""
    with_them, without = both(), make()
    ours, theirs = evaluate(with_them), evaluate(without)
    family = {name for name, item in REGISTRY.items() if item.family == "exploratory"}
    differing = {name for name in ours if ours[name] != theirs[name]}
    assert FINDING in differing <= family
    for name in differing - {FINDING}:  # its place in the order of Holm's family
        assert replace(ours[name], p=None) == replace(theirs[name], p=None)
    table, other = made(with_them, ours), made(without, theirs)
    assert {name for name in table if table[name] != other[name]} == {"strong", "claims", "runs"}
    claims = (rows(each["claims"])[:-1] for each in (table, other))
    for own, others in zip(*claims, strict=True):
        unlike = {name for name in own if own[name] != others[name]}
        assert unlike <= ({"p"} if own["claim"].value in differing else set())
    original = row(table["claims"], "claim", FINDING)["original"]
    assert (original.value, original.note) == (None, "")  # none of the original's
    for module in figures().values():
        assert module.runs(with_them) == module.runs(without)
    assert with_them.extra == []
    assert with_them.strong == tuple(v for v in STRONG if v in PLANNED)
    assert setting(with_them) == setting(without)
    ours, theirs = (summarise(records, {}).layers for records in (with_them, without))
    assert [layers.name for layers in ours] == [layers.name for layers in theirs]


def test_planned_strong_runs_are_not_in_the_recipes_nor_in_the_profile():
    networks = [str(cells["networks"].value) for cells in rows(made(planned())["recipes"])]
    assert "strong" not in " ".join(networks)
    own = {run.id: run for run in planned() if run.config.recipe == "original"}
    assert setting(planned()) == setting(planned().only(own))


def test_the_table_pairs_each_network_with_itself():
    table = made(both())["strong"]
    check(table, both())
    names = [cells["network"].value for cells in rows(table)]
    assert names == ["ResNet-18", "DenseNet", "SE-ResNet-18", "SE-ResNet-34"]
    dense = row(table, "network", "DenseNet")
    shown = [number(dense[key]) for key in ("plain", "accuracy", "difference")]
    assert shown == pytest.approx([0.9748, 0.982, 0.982 - 0.9748])
    assert (number(dense["plain_epochs"]), number(dense["epochs"])) == (2, 4)
    assert dense["ratio"].interval is not None
    assert number(dense["p"]) < 0.05


def test_the_table_shows_what_is_planned_and_missing():
    records = make(profile="standard", seeds=1, without=["DenseNet-strong", "ResNet18"])
    table = made(records)["strong"]
    assert row(table, "network", "DenseNet")["accuracy"].note == "missing"
    resnet = row(table, "network", "ResNet-18")
    assert (resnet["plain"].note, resnet["difference"].value) == ("missing", None)


@pytest.mark.parametrize(
    ("profile", "seeds"), [("quick", ()), ("standard", (0, 1, 2)), ("full", (0,))]
)
def test_strong_runs_differ_in_recipe_and_epochs_alone(profile, seeds):
    load = study.load()
    ids = {run.id for run in load.plan(profile) if run.config.recipe == "strong"}
    assert ids == {f"{variant}.s{seed}" for variant in PLANNED for seed in seeds}
    for variant in PLANNED:
        plain = load.config(profile, STRONG[variant], {})
        strong = config(variant, profile)
        assert strong.epochs >= 2 * plain.epochs
        assert strong == plain.model_copy(update={"recipe": "strong", "epochs": strong.epochs})
        assert load.run_id(profile, strong) == f"{variant}.s0"
        longer = strong.model_copy(update={"epochs": plain.epochs})
        assert load.run_id(profile, longer) == f"{variant}-e{plain.epochs}.s0"


def test_a_card_tells_how_to_repeat_a_strong_run():
    repeated = "make experiment MODEL=DenseNet PROFILE=quick SEED=0 RECIPE=strong"
    assert command(both().by_id["DenseNet-strong.s0"]) == repeated
    (run,) = make(extra=[(config("DenseNet-strong", epochs=9), Outcome())]).extra
    assert command(run) == f"{repeated} EPOCHS=9"


# --- The section --------------------------------------------------------------------------------


def written(folder, records, lang):
    return section(folder, prose("scope", lang), material(records), lang=lang)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    ("verdict", "accuracies", "changes"),
    [
        ("contradicted", (0.95, 0.951), {}),
        ("inconclusive", (0.9769,), {}),
        ("inconclusive", (0.976,), {}),
        ("supported", (0.99,), {"ResNet18": 0.98}),
        ("none", (), {}),
    ],
)
def test_it_shows_table_and_finding_in_the_verdicts_words(
    tmp_path, lang, verdict, accuracies, changes
):
    html = written(tmp_path, quick(*accuracies, **changes), lang)
    shown = verdict != "none"
    assert (f'id="{lang}-tab-strong"' in html) == ('class="finding' in html) == shown
    assert (f'data-verdict="{verdict}"' in html) == shown
    assert not shown or "ResNet-18" in text(html)


def test_it_names_a_missing_network_of_the_originals_recipe(tmp_path):
    kept = {name: run for name, run in both().by_id.items() if name != "LeNet.s0"}
    html = written(tmp_path, replace(both(), by_id=kept), "en")
    assert 'data-verdict="not_testable"' in html and "LeNet" in html


def test_it_states_the_recipe_of_the_code():
    for said in (prose("scope", lang) for lang in LANGS):
        assert rf"\left|\varphi\right|\le{TURN:g}^\circ" in said
        assert rf"\left|\lambda-1\right|\le{GROWTH:g}" in said
        assert rf"\left|d_x\right|\le{SHIFT:g}" in said
        assert rf"\frac{{T}}{{{1 / AVERAGED_SHARE:g}}}" in said
