"""``make readme``: the READMEs' results are those of the records, and come out the same again."""

import re
import sys

import pytest
from PIL import Image

from analysis.findings import evaluate
from experiments import study
from models.errors import UsageError
from report import __main__ as command_line
from report.blocks.numbers import LANGS, NBSP
from report.documents import readme
from tests import factory
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
    assert Image.open(project / "docs/gains.zh.png").size == (900, 300)


def test_twice_is_once(project, written):
    records = factory.make()
    assert written(records)
    assert written(records) == []
    assert written(factory.make(seeds=2)) == list(readme.FILES.values())


def test_the_texts_of_records_are_no_markdown(project, written):
    records = factory.make()
    run = records.by_id["LeNet.s0"]
    device = "![x](http://x/) <b>CPU</b>"
    environment = run.environment.model_copy(update={"device": device})
    records.by_id[run.id] = run.model_copy(update={"environment": environment})
    written(records)
    assert r"\!\[x\](http://x/) \<b\>CPU\</b\>" in texts(project)["en"]


def refused(monkeypatch, project, *arguments):
    monkeypatch.setattr(command_line, "ROOT", project)
    monkeypatch.setattr(command_line.gc, "disable", lambda: None)  # not for the other tests
    monkeypatch.setattr(sys, "argv", ["report", "readme", *map(str, arguments)])
    before = texts(project)
    with pytest.raises(UsageError) as caught:
        command_line.main()
    assert texts(project) == before and not (project / "docs").exists()
    return str(caught.value)


@pytest.mark.parametrize("page", ["# Title\n", f"{readme.BEGIN}\n", f"{readme.END}{readme.BEGIN}"])
def test_a_readme_without_marks_is_named(monkeypatch, project, page):
    (project / "README.md").write_text(page)
    said = refused(monkeypatch, project)
    assert said.startswith("README.md: no place for the results, expected the lines <!--")


def test_without_records_nothing_is_written(monkeypatch, project):
    planned = [run.id for run in study.load().plan("standard")]
    made = material(factory.make(profile="standard", without=planned))
    monkeypatch.setattr(readme.schema, "load", lambda folder: made)
    said = refused(monkeypatch, project, "--source", project)
    assert said == (
        f"{project}: no records, expected those of a study; train it first "
        "(make all PROFILE=standard)"
    )


def test_a_bad_record_is_named(monkeypatch, project):
    made = material().model_copy(update={"refused": ("LeNet.s0.json: not JSON",)})
    monkeypatch.setattr(readme.schema, "load", lambda folder: made)
    said = refused(monkeypatch, project, "--source", project)
    assert "LeNet.s0.json: not JSON" in said


def test_the_projects_own_readmes_have_the_marks():
    for name in readme.FILES.values():
        assert readme._around(command_line.ROOT / name)
