"""The budget ladder: findings at several rungs, stable, depending on the budget, or alone."""

import dataclasses
import re

import pytest

from analysis import ladder
from analysis.evidence import Evidence
from analysis.figures import NothingToDraw, figures
from analysis.figures import ladder as module
from analysis.findings import Verdict, evaluate
from analysis.records import Records, rungs
from analysis.results import Inputs
from analysis.schema import Step
from analysis.tables import Found, tables
from analysis.values import Value
from report.blocks.numbers import LANGS
from tests import factory
from tests.analysis import test_figures
from tests.report_kit import material, section

S, C, OPEN = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.INCONCLUSIVE
DEGRADES = "plain-degrades"

figure = figures()["ladder"]


def rung(letter, **options):
    profile = {"A": "standard", "B": "rung-b", "C": "rung-c"}[letter]
    return factory.make(profile=profile, seeds=2, **options)


@pytest.fixture(scope="module")
def deep():
    """Outcomes with which depth does no harm."""
    return {"PlainNet34": factory.outcome("PlainNet34", accuracy=0.985, train_loss=0.05)}


def climbed(records):
    return ladder.climb(records, evaluate(records))


def step(verdict, effect=None, ends=None, networks=("LeNet",)):
    def ratio(x):
        return Value(x, "ratio", ())

    interval = None if ends is None else (ratio(ends[0]), ratio(ends[1]))
    return Step(
        verdict=verdict,
        effect=None if effect is None else ratio(effect),
        interval=interval,
        networks=networks,
    )


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([step(S)], "single"),
        ([step(S), step(S)], "stable"),
        ([step(S), step(C)], "depends"),
        ([step(S), step(OPEN)], "open"),
        ([step(OPEN), step(OPEN)], "open"),
        ([step(S, 2.0, (1.8, 2.2)), step(OPEN, 1.2, (0.8, 1.6))], "depends"),
        ([step(OPEN, networks=("AlexNet",)), step(S)], "open"),
        ([step(C), step(S), step(S)], "stable"),
        ([step(S), step(S), step(C)], "depends"),
        ([step(S, 2.0, (1.8, 2.2)), step(S, 2.1, (2.0, 2.3))], "stable"),
        ([step(S, 2.0, (1.8, 2.2)), step(S, 2.5, (2.3, 2.7))], "depends"),
        ([step(S, 2.0, (1.8, 2.2)), step(S, 2.4, (2.0, 2.9))], "stable"),
        ([step(S, 2.0, (1.8, 2.2)), step(S)], "stable"),
        ([step(S), step(C, networks=("LeNet", "AlexNet"))], "unlike"),
        ([step(S), step(S, networks=("LeNet", "AlexNet"))], "stable"),
    ],
)
def test_the_last_two_rungs_decide(steps, outcome):
    assert ladder.outcome(steps) == outcome


def test_two_rungs_that_agree_and_two_that_do_not(deep):
    alike = climbed(rung("A").beside({"B": rung("B")}))
    assert [r.letter for r in alike.rungs] == ["A", "B"]
    assert [r.images.value for r in alike.rungs] == [8000 * 4, 25000 * 4]
    assert list(alike.findings[DEGRADES].steps) == ["A", "B"]
    assert alike.findings["se18-above-resnet18"].outcome == "stable"
    changed = climbed(rung("A").beside({"B": rung("B", specs=deep)}))
    steps = changed.findings[DEGRADES].steps
    assert steps["A"].verdict is S
    assert steps["B"].verdict is C
    assert DEGRADES not in changed.ended("stable")


def test_of_three_rungs_the_last_two_count(deep):
    made = climbed(rung("C", specs=deep).beside({"A": rung("A"), "B": rung("B", specs=deep)}))
    verdicts = {k: v.verdict for k, v in made.findings[DEGRADES].steps.items()}
    assert list(verdicts) == ["A", "B", "C"]  # from the fewest images, whichever report it is
    assert verdicts["A"] is S and verdicts["B"] is C
    sources = {s.record for s in made.findings[DEGRADES].steps["B"].effect.sources}
    assert "rung-b/PlainNet34.s0" in sources


def test_networks_that_a_rung_lacks():
    few = rung("B", without={p.rpartition(".s")[0] for p in rung("B").by_id} - {"ResNet50"})
    records = rung("A").beside({"B": few})
    made = climbed(records)
    assert made
    assert set(made.findings) == set(made.ended("single"))
    assert not tables(Found(Evidence(records), evaluate(records), ladder=made))["ladder"].rows
    assert list(module.lines(records)) == ["ResNet50"]
    for lang in LANGS:
        assert "ResNet-50" in figure.draw(records, lang).alt


def test_runs_that_diverged_are_marked_on_the_left():
    wild = factory.outcome("ResNet50", status="diverged")
    records = rung("A").beside({"B": rung("B", specs={"ResNet50.s1": wild, "LeNet.s0": wild})})
    found = module.lines(records)
    assert module.broken(records, found) == [("LeNet", 100_000), ("ResNet50", 100_000)]
    test_figures.test_texts_are_inside_and_apart_and_told_in_both_languages(figure, records)


def test_one_rung_alone_is_not_compared():
    for records in (rung("A"), factory.make()):
        made = climbed(records)
        assert not made
        with pytest.raises(NothingToDraw):
            figure.draw(records, "en")
        assert figure.runs(records) == ()
    assert climbed(factory.make()).rungs == ()


def test_the_table_has_a_row_for_each_finding_on_two_rungs():
    records = rung("A").beside({"B": rung("B")})
    made = climbed(records)
    table = tables(Found(Evidence(records), evaluate(records), ladder=made))["ladder"]
    assert [row[0].value for row in table.rows] == [
        name for name, item in made.findings.items() if len(item.steps) == 2
    ]
    keys = [column.key for column in table.columns]
    assert keys == ["claim", "a_verdict", "a_effect", "b_verdict", "b_effect", "outcome"]


def test_the_figure_has_a_word_for_every_finding_and_needs_its_own_records_alone():
    records = rung("A").beside({"B": rung("B"), "C": rung("C")})
    own = records.only(figure.runs(records))
    assert set(own.rungs) == {"B", "C"}
    shown = module.rows(climbed(own))
    assert DEGRADES in shown
    for lang in LANGS:
        assert figure.draw(own, lang).alt == figure.draw(records, lang).alt
    assert "ladder" in figures()


def test_texts_of_the_figure_are_apart_with_two_rungs_and_with_three():
    for beside in ({"B": rung("B")}, {"B": rung("B"), "C": rung("C")}):
        records = rung("A").beside(beside)
        test_figures.test_texts_are_inside_and_apart_and_told_in_both_languages(figure, records)


def test_records_of_other_rungs_are_found_beside_and_count_for_freshness(tmp_path):
    small = {"without": {p.rpartition(".s")[0] for p in rung("A").by_id} - {"ResNet50"}}
    for letter, name in (("A", "standard"), ("B", "rung-b")):
        factory.save(rung(letter, **small), tmp_path / name)
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


@pytest.mark.parametrize("lang", LANGS)
def test_the_section_says_what_is_stable(tmp_path, deep, lang):
    from report.base.errors import TEMPLATES

    file = next((TEMPLATES / "sections").glob(f"*-scope.{lang}.md"))
    text = file.read_text(encoding="utf-8").partition("\n")[2]
    stable, depends, alone = {
        "en": ("counts as stable", "depends on the budget", "one training budget only"),
        "zh": ("就算稳定", "取决于训练量", "只有一个训练量"),
    }[lang]
    both = material(rung("A").beside({"B": rung("B", specs=deep)}))
    html = re.sub(r"<[^>]+>", "", section(tmp_path / "two", text, both, lang=lang))
    assert stable in html and (html.count(depends) > 1) == bool(both.ladder.ended("depends"))
    html = section(tmp_path / "one", text, material(rung("A")), lang=lang)
    assert alone in html and stable not in html
