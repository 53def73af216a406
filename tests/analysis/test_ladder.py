"""The budget ladder: findings at several rungs, stable, depending on the budget, or alone."""

import dataclasses
import functools

import pytest

from analysis import ladder
from analysis.figures import NothingToDraw, figures
from analysis.figures import ladder as module
from analysis.findings import Verdict, evaluate
from analysis.records import Records, rungs
from analysis.results import Inputs
from analysis.schema import Step
from analysis.values import Value
from report.blocks.numbers import LANGS
from tests import factory
from tests.analysis import test_figures
from tests.analysis.test_tables import made
from tests.report_kit import material, prose, section, text

S, C, OPEN = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.INCONCLUSIVE
DEGRADES = "plain-degrades"
PROFILES = {"A": "standard", "B": "rung-b", "C": "rung-c"}
#: Outcomes with which depth does no harm.
DEEP = {"PlainNet34": factory.outcome("PlainNet34", accuracy=0.985, train_loss=0.05)}

figure = figures()["ladder"]


def rung(letter, **options):
    return factory.make(profile=PROFILES[letter], seeds=2, **options)


@functools.cache
def two():
    return rung("A").beside({"B": rung("B")})


@functools.cache
def two_that_differ():
    return rung("A").beside({"B": rung("B", specs=DEEP)})


@functools.cache
def three():
    return rung("A").beside({"B": rung("B"), "C": rung("C")})


def only(variant, letter):
    """A rung with the runs of one network alone."""
    whole = rung(letter)
    return whole.only([run for run in whole.by_id if run.startswith(f"{variant}.s")])


def climbed(records):
    return ladder.climb(records, evaluate(records))


def step(verdict, *numbers, networks=("LeNet",)):
    """Of one rung: a verdict, and the effect with its interval."""
    effect, *ends = [Value(number, "ratio", ()) for number in numbers] or [None]
    found = {"verdict": verdict, "effect": effect, "interval": tuple(ends) or None}
    return Step(**found, values={}, facts={}, networks=networks)


BOTH = ("LeNet", "AlexNet")


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([step(S)], "single"),
        ([step(S), step(S)], "stable"),
        ([step(S), step(C)], "depends"),
        ([step(S), step(OPEN)], "open"),
        ([step(OPEN), step(OPEN)], "open"),
        ([step(S, 2.0, 1.8, 2.2), step(OPEN, 1.2, 0.8, 1.6)], "depends"),
        ([step(OPEN, networks=("AlexNet",)), step(S)], "open"),
        ([step(C), step(S), step(S)], "stable"),
        ([step(S), step(S), step(C)], "depends"),
        ([step(S, 2.0, 1.8, 2.2), step(S, 2.1, 2.0, 2.3)], "stable"),
        ([step(S, 2.0, 1.8, 2.2), step(S, 2.5, 2.3, 2.7)], "extent"),
        ([step(S, 2.0, 1.8, 2.2), step(S, 2.5, 2.3, 2.7, networks=BOTH)], "unlike"),
        ([step(OPEN, 2.0, 1.8, 2.2), step(OPEN, 2.5, 2.3, 2.7)], "depends"),
        ([step(S, 2.0, 1.8, 2.2), step(S, 2.4, 2.0, 2.9)], "stable"),
        ([step(S, 2.0, 1.8, 2.2), step(S)], "stable"),
        ([step(S), step(C, networks=BOTH)], "unlike"),
        ([step(S), step(S, networks=BOTH)], "stable"),
    ],
)
def test_the_last_two_rungs_decide(steps, outcome):
    assert ladder.outcome(steps) == outcome


def test_what_is_measured_before_training_does_not_depend_on_a_budget():
    found, own = climbed(two()), evaluate(rung("A"))
    for name in ("plain-gain-grows", "branch-gain-small", "mul-nobn-vanishes"):
        assert own[name].verdict is not Verdict.NOT_TESTABLE and name not in found.findings
    assert "gain-add-sub-near-one" in found.findings


def test_two_rungs_that_agree_and_two_that_do_not():
    alike = climbed(two())
    assert [r.letter for r in alike.rungs] == ["A", "B"]
    assert [r.images.value for r in alike.rungs] == [8000 * 4, 25000 * 4]
    assert list(alike.findings[DEGRADES].steps) == ["A", "B"]
    assert alike.findings["se18-above-resnet18"].outcome == "stable"
    changed = climbed(two_that_differ())
    verdicts = {letter: at.verdict for letter, at in changed.findings[DEGRADES].steps.items()}
    assert verdicts == {"A": S, "B": C}
    assert DEGRADES not in changed.ended("stable")


def test_of_three_rungs_the_last_two_count():
    found = climbed(rung("C", specs=DEEP).beside({"A": rung("A"), "B": rung("B", specs=DEEP)}))
    steps = found.findings[DEGRADES].steps
    assert list(steps) == ["A", "B", "C"]  # from the fewest images, whichever report it is
    assert (steps["A"].verdict, steps["B"].verdict) == (S, C)
    assert "rung-b/PlainNet34.s0" in {source.record for source in steps["B"].effect.sources}


def test_networks_that_a_rung_lacks():
    records = rung("A").beside({"B": only("ResNet50", "B")})
    found = climbed(records)
    assert found
    assert set(found.findings) == set(found.ended("single"))
    assert not made(records, ladder=found)["ladder"].rows
    assert list(module.lines(records)) == ["ResNet50"]
    for lang in LANGS:
        assert "ResNet-50" in figure.draw(records, lang).alt


def test_a_rung_of_single_runs_does_not_count():
    single = factory.make(profile=PROFILES["B"], seeds=1)
    found = climbed(rung("A").beside({"B": single}))
    assert [*found.findings[DEGRADES].steps] == ["A"]
    assert not found.compared


def test_one_rung_alone_is_not_compared():
    for records in (rung("A"), factory.make()):
        assert not climbed(records)
        with pytest.raises(NothingToDraw):
            figure.draw(records, "en")
        assert figure.runs(records) == ()
    assert climbed(factory.make()).rungs == ()


def test_the_table_has_a_row_for_each_finding_on_two_rungs():
    found = climbed(two())
    table = made(two(), ladder=found)["ladder"]
    shown = [name for name, item in found.findings.items() if len(item.steps) == 2]
    assert [row[0].value for row in table.rows] == shown
    keys = [column.key for column in table.columns]
    assert keys == ["claim", "a_verdict", "a_effect", "b_verdict", "b_effect", "outcome"]


@pytest.mark.pipeline
def test_the_figure_needs_its_own_records_alone():
    own = three().only(figure.runs(three()))
    assert set(own.rungs) == {"B", "C"}
    assert DEGRADES in module.rows(climbed(own))
    for lang in LANGS:
        assert figure.draw(own, lang).alt == figure.draw(three(), lang).alt


@pytest.mark.pipeline
def test_texts_of_the_figure_are_apart_with_two_rungs_and_with_three():
    wild = factory.outcome("ResNet50", status="diverged")
    marked = rung("A").beside({"B": rung("B", specs={"ResNet50.s1": wild, "LeNet.s0": wild})})
    broken = module.broken(marked, module.lines(marked))  # on the left
    assert broken == [("LeNet", 100_000), ("ResNet50", 100_000)]
    for records in (two(), three(), marked):
        test_figures.test_texts_are_inside_and_apart_and_told_in_both_languages(figure, records)


def test_records_of_other_rungs_are_found_beside_and_count_for_freshness(tmp_path):
    for letter in ("A", "B"):
        factory.save(only("ResNet50", letter), tmp_path / PROFILES[letter])
    assert rungs(tmp_path / "standard") == {"B": tmp_path / "rung-b"}
    assert rungs(tmp_path / "quick") == {}
    assert set(Records.load(tmp_path / "rung-b").rungs) == {"A"}
    inputs = Inputs.read(tmp_path / "standard")
    assert set(inputs.records().rungs) == {"B"}
    path = tmp_path / "rung-b" / "ResNet50.s0.json"
    path.write_text(path.read_text().replace('"threads": 2', '"threads": 4'))
    assert Inputs.read(tmp_path / "standard").fingerprint() != inputs.fingerprint()


def test_an_empty_rung_or_one_of_another_data_set_does_not_count():
    other = factory.make(profile="rung-b-fashionmnist", seeds=1)
    empty = dataclasses.replace(rung("C"), by_id={})
    assert rung("A").beside({"B": other, "C": empty}).rungs == {}


@pytest.mark.parametrize(
    ("lang", "stable", "depends", "alone"),
    [
        ("en", "is stable if", "depends on the budget", "one training budget only"),
        ("zh", "就算稳定", "取决于训练量", "只有一个训练量"),
    ],
)
def test_the_section_says_what_is_stable(tmp_path, lang, stable, depends, alone):
    both, scope = material(two_that_differ()), prose("scope", lang)
    said = text(section(tmp_path / "two", scope, both, lang=lang))
    assert stable in said and (said.count(depends) > 1) == bool(both.ladder.ended("depends"))
    said = section(tmp_path / "one", scope, material(rung("A")), lang=lang)
    assert alone in said and stable not in said


@pytest.mark.parametrize(
    ("lang", "outcome", "depends", "rung"),
    [
        ("en", "degradation, not over-fitting", " (depends on the budget).", "supported on rung A"),
        ("zh", "这是退化，不是过拟合", "（取决于训练量）。", "A 档支持"),
    ],
)
def test_a_finding_that_moves_says_so_and_is_no_result(tmp_path, lang, outcome, depends, rung):
    name = "degradation-in-training-loss"
    for records, moves in ((two_that_differ(), True), (two(), False)):
        found, folder = material(records), tmp_path / str(moves)
        assert (name in found.ladder.ended("depends")) == moves
        said = text(section(folder / "finding", f'{{{{ finding("{name}") }}}}', found, lang=lang))
        assert outcome in said and (outcome + depends in said) == (rung in said) == moves
        told = text(section(folder / "whole", prose("discussion", lang), found, lang=lang))
        assert (outcome + "." in told or outcome + "。" in told) != moves
