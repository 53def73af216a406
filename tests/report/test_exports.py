"""Tables and figures as files: all there, and the same bytes each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.figures import figures
from report.blocks.numbers import LANGS
from tests.report_kit import built
from tests.report_kit import material as kit_material

pytestmark = pytest.mark.pipeline

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def out():
    return built()


@pytest.fixture(scope="module")
def results(out):
    return out.parent / "results"


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_table_and_figure_is_there_in_every_form(out, results):
    drawn = {  # the records are of one rung, and the study's own: no ladder, no own experiments
        f"figures/{name}.{lang}.{kind}"
        for name in set(figures()) - {"ladder", "own-experiments"}
        for lang in LANGS for kind in ("svg", "pdf", "png")
    }  # fmt: skip
    charts = ("accuracy", "depth", "gain-depth", "gains", "gradients", "operators", "pareto")
    drawn |= {f"figures/{name}.csv" for name in (*charts, "residual", "se-ranges", "softmax")}
    tables = kit_material().tables
    csv = {f"tables/{name}.csv" for name in tables}
    assert files(results) == drawn | csv | {"results.json", "misread.png"}
    latex = {f"tables/{name}.{lang}.tex" for name in tables for lang in LANGS}
    documents = {"report.html", "report.zh.pdf", "report.en.pdf"}
    assert files(out) == drawn | csv | latex | documents


def test_the_same_records_give_the_same_bytes(out, results, tmp_path):
    """In another process, elsewhere, and with another order of sets."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    again = tmp_path / "results", tmp_path / "out"
    for arguments in (
        ("analysis", "--results", out.parent / "records", "--out", again[0]),
        ("report", "--source", again[0], "--out", again[1]),
    ):
        subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=tmp_path, env=environment, timeout=300, check=True,
        )  # fmt: skip
    for before, after in zip((results, out), again, strict=True):
        assert files(after) == files(before)
        for name in files(before):
            assert (after / name).read_bytes() == (before / name).read_bytes(), name
