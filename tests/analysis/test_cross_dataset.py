"""The study on another data set: its report says what it is of, and what carries over."""

import dataclasses
import re
from html import unescape

import pytest

from analysis.cross_dataset import Transfer
from analysis.findings import Verdict, evaluate
from analysis.records import Records, siblings
from analysis.results import Inputs
from experiments.datasets import splits as data
from experiments.record import write
from report import build
from report.blocks.numbers import LANGS
from tests import factory
from tests.analysis.test_tables import made
from tests.report_kit import compared, material

S, C, OPEN, N = (
    Verdict(name) for name in ("supported", "contradicted", "inconclusive", "not_testable")
)
FASHION = "quick-fashionmnist"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Records of the quick profile on both data sets: AlexNet is the best on both, and on
    Fashion-MNIST depth does no harm."""
    results = tmp_path_factory.mktemp("results")
    both = {"AlexNet": factory.outcome("AlexNet", accuracy=0.995)}
    better = {"PlainNet34": factory.outcome("PlainNet34", accuracy=0.99, train_loss=0.01)}
    for profile, specs in (("quick", both), (FASHION, both | better)):
        factory.save(factory.make(profile=profile, specs=specs), results / profile)
    return results


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ((S, S), "alike"),
        ((C, C), "alike"),
        ((S, C), "reversed"),
        ((S, C, OPEN), "reversed"),
        ((S, OPEN), "open"),
        ((OPEN, OPEN), "open"),
        ((S, N), "untested"),
        ((S, C, N), "untested"),
    ],
)
def test_a_finding_carries_over_if_it_comes_out_alike(verdicts, outcome):
    found = evaluate(factory.make())["se-best"]
    each = [{"se-best": dataclasses.replace(found, verdict=verdict)} for verdict in verdicts]
    findings = dict(zip(("MNIST", "FashionMNIST", "KMNIST"), each, strict=False))
    assert Transfer(findings).outcome("se-best") == outcome


def test_records_of_another_data_set_are_found_beside_these(folder):
    assert siblings(folder / "quick") == {"FashionMNIST": folder / FASHION}
    assert siblings(folder / FASHION) == {"MNIST": folder / "quick"}
    assert siblings(folder / "elsewhere" / "quick") == {}
    alone = Records.load(folder / FASHION)
    assert (alone.dataset, list(alone.missing), list(alone.extra)) == ("FashionMNIST", [], [])


def test_both_reports_compare_the_same(folder):
    here, there = (compared(Records.load(folder / name)) for name in ("quick", FASHION))
    assert tuple(here.findings) == tuple(there.findings) == ("MNIST", "FashionMNIST")
    assert here.names == there.names
    assert [*map(here.outcome, here.names)] == [*map(there.outcome, there.names)]
    assert "plain-degrades" in here.summary().reversed
    assert "mul-much-worse" in here.summary().alike
    assert "macs-batch-of-four" not in here.names


def test_numbers_from_elsewhere_say_where(folder):
    records = Records.load(folder / "quick")
    found = compared(records)
    for name, place in (("MNIST", ""), ("FashionMNIST", f"{FASHION}/")):
        sources = found.findings[name]["plain-degrades"].effect.sources
        assert {s.record for s in sources} == {f"{place}PlainNet{d}.s0" for d in (18, 34)}
    table = made(records, transfer=found)["transfer"]
    parts = ["mnist_verdict", "mnist_effect", "fashionmnist_verdict", "fashionmnist_effect"]
    assert [column.key for column in table.columns] == ["claim", *parts, "outcome"]
    assert len(table.rows) == sum(found.outcome(name) != "untested" for name in found.names)


def test_one_data_set_alone_is_not_compared(tmp_path):
    records = factory.make()
    assert not compared(records)
    assert not made(records)["transfer"].rows
    (tmp_path / FASHION).mkdir()  # records to come
    assert not compared(Records.load(factory.save(records, tmp_path / "quick")))


def test_records_of_two_data_sets_in_one_folder_are_refused(tmp_path):
    factory.save(factory.make(), tmp_path / "quick")
    write(factory.make(profile=FASHION).by_id["LeNet.s0"], tmp_path / "quick")
    records = Records.load(tmp_path / "quick")
    assert (records.dataset, records.missing) == ("MNIST", ("LeNet.s0",))
    (refused,) = records.refused
    assert "LeNet.s0.json: config.dataset is FashionMNIST" in refused


def test_a_report_is_stale_when_the_other_records_change(folder):
    before = Inputs.read(folder / "quick").fingerprint()
    path = folder / FASHION / "LeNet.s0.json"
    content = path.read_text()
    for text, fresh in ((content.replace('"threads": 2', '"threads": 4'), False), (content, True)):
        path.write_text(text)
        assert (Inputs.read(folder / "quick").fingerprint() == before) == fresh


def text(html):
    html = re.sub(r"<(script|style|svg)\b.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.mark.pipeline
def test_a_report_on_fashion_mnist_claims_nothing_of_mnist(folder):
    html = build.html(material(Records.load(folder / FASHION)))
    said = text(html)
    for words in (
        "Convolutional networks on Fashion-MNIST", "卷积神经网络在 Fashion-MNIST 上的实验",
        "T-shirt", "套头衫", "make all PROFILE=quick DATASET=FashionMNIST",
        "make experiment MODEL=LeNet PROFILE=quick DATASET=FashionMNIST",
    ):  # fmt: skip
        assert words in said
    of_original = ("macs-batch-of-four", "widths-not-paper", "digits-not-significant")
    for finding in (*of_original, "image-size", "lenet-under-trained"):
        assert f'data-finding="{finding}"' not in html
    assert 'data-finding="softmax-slows"' in html
    table = html[html.index('id="en-tab-results"') :]
    assert "Original" not in table[: table.index("</figure>")]
    # MNIST is named as what the original used, as another data set, and nothing else.
    prose = re.sub(r'<table\b.*?</table>|<ol class="works.*?</ol>', "", html, flags=re.DOTALL)
    prose = re.sub(r"Fashion-\s?MNIST|FashionMNIST|KMNIST|EMNIST", "", text(prose))
    known = (
        "An earlier lab write-up", "一份已有的课程实验报告", "has the form of MNIST", "形式相同",
        "The original sums up for MNIST", "就 MNIST 的概括", "in the report on MNIST",
        "MNIST 上的报告", "validation images of MNIST", "MNIST 的验证集", "was run on MNIST and",
        "在 MNIST、", "on MNIST 16 runs", "在 MNIST 上有",
    )  # fmt: skip
    found = [line for line in re.split(r"(?<=[.。])", prose) if "MNIST" in line]
    assert found
    for line in found:
        assert any(words in line for words in known), line


@pytest.mark.parametrize(
    ("name", "title", "said"),
    [
        ("KMNIST", "Kuzushiji-MNIST", ("cursive Japanese", "草书假名")),
        ("EMNIST", "EMNIST-Digits", ("all of its writers", "全部书写者")),
    ],
)
def test_a_report_on_data_whose_labels_are_not_kept(monkeypatch, name, title, said):
    """Their labels come from their files: here from MNIST's."""
    mnist = data.load("MNIST")
    monkeypatch.setattr(data, "load", {name: mnist}.__getitem__)
    html = text(build.html(material(factory.make(profile=f"quick-{name.lower()}"))))
    command = f"make all PROFILE=quick DATASET={name}"
    for words in (f"on {title}", f"在 {title} 上", command, *said):
        assert words in html


@pytest.mark.pipeline
def test_the_report_on_mnist_says_what_carries_over(folder):
    html = build.html(material(Records.load(folder / "quick")))
    for lang in LANGS:
        assert f'id="{lang}-tab-transfer"' in html
    assert f"{FASHION}/PlainNet18.s0 test.accuracy" in html
    assert f"#en-run-{FASHION}/" not in html  # no card to lead to
    for words in (
        " are reversed (“", "条逆转（", "on Fashion-MNIST 16 runs with one seed",
        "在 Fashion-MNIST 上有 16 次运行", "Convolutional networks on MNIST",
    ):  # fmt: skip
        assert words in text(html)
    alone = build.html(material())
    assert "tab-transfer" not in alone and "Another data set" not in alone
