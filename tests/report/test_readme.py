"""``make readme``: the READMEs' results are those of the records, and come out the same again."""

import re

import pytest
from PIL import Image

from analysis.findings import evaluate
from experiments import study
from report import __main__ as command_line
from report.blocks.numbers import LANGS, NBSP
from report.documents import readme
from tests import factory
from tests.checkout import called, refused
from tests.report_kit import material

PAGE = f"# Title\n\nBefore.\n\n{readme.BEGIN}\nNot yet.\n{readme.END}\n\nAfter.\n"


@pytest.fixture
def project(tmp_path):
    for name in readme.FILES.values():
        (tmp_path / name).write_text(PAGE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def written(project, monkeypatch):
    """READMEs of given records; drawing, which other tests look at, takes ten seconds."""

    def write(records):
        made = material(records)
        monkeypatch.setattr(readme.schema, "load", lambda folder: made)
        return readme.write(project, project)

    return write


def texts(project):
    return {lang: (project / name).read_text("utf-8") for lang, name in readme.FILES.items()}


def test_the_marked_part_is_of_the_records(project, written):
    records = factory.make(seeds=3, profile="standard")
    files = {f"docs/{name}.{lang}.png" for name in readme.FIGURES for lang in LANGS}
    assert set(written(records)) == files | set(readme.FILES.values())
    accuracies = [run.test.accuracy for run in records.of("ResNet18")]
    found = evaluate(records)
    supported = sum(each.verdict.value == "supported" for each in found.values())
    for text in texts(project).values():
        before, part, after = re.split(f"{readme.BEGIN}|{readme.END}", text)
        assert (before, after) == ("# Title\n\nBefore.\n\n", "\n\nAfter.\n")
        row = next(line for line in part.splitlines() if line.startswith("| ResNet-18 |"))
        assert f"{100 * sum(accuracies) / 3:.2f}" in row
        assert f"| 98.75 | 11,702,530 | 1.80{NBSP}G | 3 |" in row
        assert "`make readme PROFILE=standard`" in part
        assert "<data" not in part and "Not yet." not in part
        assert re.search(rf"\*\*(Supported|支持)\*\*[ （(]+{supported}", part)
        assert "28×28" in part  # a claim's formula
    assert "up to 3 seeds a network" in texts(project)["en"]
    assert Image.open(project / "docs/gain-depth.zh.png").size == (900, 300)


def test_the_budget_ladder_is_told(project, written):
    steady = factory.make(profile="standard", seeds=3)
    written(steady.beside({"B": factory.make(profile="rung-b", seeds=3)}))
    for lang, text in texts(project).items():
        assert re.search(r"rung B: 100,000 seen|B 档见过 100,000 张", text)
        stable = re.search({"en": r"\*\*Stable\*\*: (.*)", "zh": r"\*\*稳定\*\*：(.*)"}[lang], text)
        assert re.search("Without residual connections|没有残差连接时", stable[1])
        assert f"docs/ladder.{lang}.png" in text
    written(steady)
    assert "ladder" not in texts(project)["en"]


def test_twice_is_once(project, written):
    records = factory.make()
    assert written(records)
    assert written(records) == []
    assert written(factory.make(seeds=2)) == list(readme.FILES.values())


def test_the_texts_of_records_are_no_markdown(project, written):
    device = "![x](http://x/) <b>CPU</b>"
    written(factory.altered(factory.make(), "LeNet.s0", environment__device=device))
    assert r"\!\[x\](http://x/) \<b\>CPU\</b\>" in texts(project)["en"]


def refusal(monkeypatch, project, *arguments):
    """What the command says, having written nothing."""
    monkeypatch.setattr(command_line, "ROOT", project)
    before = texts(project)
    done = called("report.__main__", "readme", *arguments)
    refused(done)
    assert texts(project) == before and not (project / "docs").exists()
    return done.stderr


@pytest.mark.parametrize("page", ["# Title\n", f"{readme.BEGIN}\n", f"{readme.END}{readme.BEGIN}"])
def test_a_readme_without_marks_is_named(monkeypatch, project, page):
    (project / "README.md").write_text(page)
    said = refusal(monkeypatch, project)
    assert said.startswith("error: README.md: no place for the results, expected the lines <!--")


def test_without_records_or_with_a_bad_one_nothing_is_written(monkeypatch, project):
    planned = [run.id for run in study.load().plan("standard")]
    none = material(factory.make(profile="standard", without=planned))
    bad = material().model_copy(update={"refused": ("LeNet.s0.json: not JSON",)})
    for made, said in (
        (none, f"{project}: no records, expected those of a study; train it first (make all PROF"),
        (bad, "LeNet.s0.json: not JSON"),
    ):
        monkeypatch.setattr(readme.schema, "load", lambda folder, made=made: made)
        assert said in refusal(monkeypatch, project, "--source", project)


def test_the_projects_own_readmes_have_the_marks():
    for name in readme.FILES.values():
        assert readme._around(command_line.ROOT / name)
