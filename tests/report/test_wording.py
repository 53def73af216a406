"""What the prose says where runs diverged, failed or are missing, and that it refers to everything.

The wordings are chosen by the verdicts; here the sentences themselves are read.
"""

import functools
import re

import pytest

from report import build
from tests import factory
from tests.factory import outcome
from tests.report_kit import material, text

#: One half of the networks diverged, then the other.
FIRST = ("PlainNet34", "PlainNet101", "ResNet101", "SEResNet18")
FIRST += tuple(f"ResNet18-{tag}" for tag in ("sub", "mul", "mul-nobn", "softmax"))
SECOND = ("PlainNet18", "PlainNet50", "ResNet18", "ResNet34", "SEResNet34")
SECOND += ("DenseNet", "AlexNet", "LeNet")

OVERFITTED = {"PlainNet34": outcome("PlainNet34", train_loss=0.05, validation_loss=0.9)}


def _lost(variants, status):
    return {each: outcome(each.partition(".")[0], status=status) for each in variants}


SPECS = {
    "usual": {},
    "first": _lost(FIRST, "diverged"),
    "second": _lost(SECOND, "diverged"),
    "failed": _lost(("LeNet", "SEResNet18"), "failed") | OVERFITTED,
    "seeds": _lost(["PlainNet34.s1"], "diverged"),
}


@functools.cache
def page(name: str) -> str:
    seeds = 2 if name == "seeds" else None
    return build.html(material(factory.make(specs=SPECS[name], seeds=seeds)))


def finding(html: str, lang: str, name: str) -> str:
    start = html.index(f'id="{lang}-finding-{name}"')
    return text(html[start:].partition("</div>")[0])


def abstract(html: str, lang: str) -> str:
    start = html.index(f'id="{lang}-sec-abstract"')
    return text(html[start:].partition("</section>")[0])


@pytest.mark.parametrize("name", ["first", "second", "seeds"])
def test_sentences_about_diverged_runs_are_sentences(name):
    said = text(page(name))
    wrong = r"\b(?:reaches|is|to|from|and|at) diverged|为\s*(?:训练发散|未测得)|[到从]\s*训练发散"
    assert re.findall(wrong, said) == []
    assert "diverged" in said and "发散" in said


def test_a_diverged_network_is_said_to_have_diverged():
    html = page("first")
    assert "PlainNet-34 diverged" in finding(html, "en", "plain-degrades")
    assert "PlainNet-34 训练发散" in finding(html, "zh", "residual-removes-degradation")
    assert "not finite for PlainNet-34" in finding(html, "en", "degradation-in-training-loss")
    assert "subtraction diverged" in finding(html, "en", "sub-equals-add")


def test_an_interval_is_not_given_for_other_runs_than_its_difference():
    html = page("seeds")
    for name in ("plain-degrades", "residual-removes-degradation"):
        assert "interval" not in finding(html, "en", name)
        said = finding(html, "en", name)
        assert "without the runs that diverged" in said or "some runs diverged" in said
        assert "区间" not in finding(html, "zh", name)
    assert "interval" in finding(html, "en", "sub-equals-add")


def test_a_failed_run_is_no_missing_one():
    html = page("failed")
    assert "no usable run of SE-ResNet-18" in finding(html, "en", "se-best")
    assert "缺少 LeNet 的可用运行" in finding(html, "zh", "deeper-beats-lenet")


def test_the_abstract_does_not_call_worse_training_overfitting_or_the_reverse():
    assert "over-fitting, not degradation" in abstract(page("failed"), "en")
    assert "这是过拟合，不是退化" in abstract(page("failed"), "zh")
    assert "degradation, not over-fitting" in abstract(page("usual"), "en")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_figure_and_table_is_referred_to(lang):
    html = page("usual")
    shown = set(re.findall(rf'<figure id="({lang}-(?:fig|tab)-[\w-]+)"', html))
    assert len(shown) > 18
    referred = set(re.findall(r'<a class="ref" href="#([\w-]+)"', html))
    assert shown <= referred


def test_no_number_of_the_table_of_claims_stands_alone():
    html = page("usual")
    for lang in ("zh", "en"):
        start = html.index(f'<figure id="{lang}-tab-claims"')
        table = html[start : html.index("</table>", start)]
        effects = table.count('class="what"')
        assert effects > 20
        assert re.search(r"SE-ResNet-34(?:</span>)? ?<", table)  # whose figure it is
