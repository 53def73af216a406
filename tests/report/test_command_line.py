"""``python -m report``: what a person can get wrong ends in one line, exit status 2."""

import shutil

import pytest

from report import build
from tests.checkout import QUICKEST, called, copy_of_checkout, refused, succeeds
from tests.report_kit import analysed, templates

pytestmark = pytest.mark.pipeline

HTML = ("--only", "html")


def report(source, out):
    return called("report.__main__", "--source", source, "--out", out, *HTML)


def analyse(records, out, *figures):
    return called("analysis.__main__", *figures, "--results", records, "--out", out)


@pytest.fixture(scope="module")
def results():
    return analysed().with_name("records")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The results of these records, to be changed."""
    return shutil.copytree(analysed(), tmp_path_factory.mktemp("results") / "results")


def test_an_analysis_is_made_once_and_again_after_a_change(tmp_path, results, source):
    assert ": up to date" in analyse(results, source).stdout
    (source / "tables/results.csv").write_text("")
    said = analyse(results, source).stdout
    assert f"{results} (16 records) -> {source}: results.json and" in said
    assert (source / "tables/results.csv").read_text()
    one = analyse(results, tmp_path, "depth")
    drawn = {f"depth.{lang}.{kind}" for lang in ("zh", "en") for kind in ("svg", "pdf", "png")}
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {*drawn, "depth.csv"}
    for path in (tmp_path / "figures").iterdir():
        assert path.read_bytes() == (source / "figures" / path.name).read_bytes()
        assert str(path) in one.stdout


def test_an_unwritable_folder_is_named(tmp_path, source):
    (tmp_path / "file").write_text("x")
    refused(report(source, tmp_path / "file"), str(tmp_path / "file"))


def test_a_faulty_template_is_one_line_a_language(monkeypatch, tmp_path, source):
    made = templates(tmp_path, a="# T\n\n{% if %}\n")
    monkeypatch.setattr(build, "TEMPLATES", made)
    done = report(source, tmp_path / "out")
    assert done.returncode == 2
    for lang, line in zip(("zh", "en"), done.stderr.splitlines(), strict=True):
        assert line.startswith("error: ") and f"10-a.{lang}.md:3: Expected an expression" in line
    assert not (tmp_path / "out").exists()


def test_without_records_it_still_builds_and_says_so(tmp_path):
    (tmp_path / "empty").mkdir()
    assert analyse(tmp_path / "empty", tmp_path / "results").returncode == 0
    done = report(tmp_path / "results", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (page,) = (tmp_path / "out").iterdir()
    html = page.read_text(encoding="utf-8")
    assert "There are no records yet" in html and "还没有任何运行记录" in html


def test_a_study_that_leaves_networks_out_has_its_report(tmp_path):
    checkout = copy_of_checkout(tmp_path / "checkout", *QUICKEST)
    for stage in (("analysis",), ("report", *HTML)):
        succeeds(checkout, "-m", *stage, "--profile", "smoke")
    assert (checkout / "report" / "out" / "smoke" / "report.html").is_file()
