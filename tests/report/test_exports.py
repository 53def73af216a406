"""Tables and figures as files: all there, and the same bytes each time."""

import os
import subprocess
import sys

import pytest

from analysis.figures import figures
from report.blocks.numbers import LANGS
from tests.checkout import ROOT
from tests.report_kit import analysed, built, material

pytestmark = pytest.mark.pipeline


def files(folder):
    """The bytes of all files of a folder, by their paths in it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_every_table_and_figure_is_there_in_every_form():
    drawn = {  # the records are of one rung, and the study's own: no ladder, no own experiments
        f"figures/{name}.{lang}.{kind}"
        for name in set(figures()) - {"ladder", "own-experiments"}
        for lang in LANGS for kind in ("svg", "pdf", "png")
    }  # fmt: skip
    charts = ("accuracy", "depth", "gain-depth", "gains", "gradients", "operators", "pareto")
    drawn |= {f"figures/{name}.csv" for name in (*charts, "residual", "se-ranges", "softmax")}
    tables = material().tables
    csv = {f"tables/{name}.csv" for name in tables}
    assert files(analysed()).keys() == drawn | csv | {"results.json", "misread.png"}
    latex = {f"tables/{name}.{lang}.tex" for name in tables for lang in LANGS}
    documents = {"report.html", "report.zh.pdf", "report.en.pdf"}
    assert files(built()).keys() == drawn | csv | latex | documents


MATPLOTLIBRC = """
savefig.bbox: tight
axes.grid: True
font.weight: bold
lines.linestyle: :
text.usetex: True
axes.spines.left: False
figure.dpi: 300
"""


def test_the_same_records_give_the_same_bytes(tmp_path):
    """In another process, elsewhere, with another order of sets and a user's own matplotlib."""
    (tmp_path / "matplotlibrc").write_text(MATPLOTLIBRC)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "7",
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    results, out, records = tmp_path / "results", tmp_path / "out", analysed().with_name("records")
    for arguments in (
        ("analysis", "--results", records, "--out", results),
        ("report", "--source", results, "--out", out),
    ):
        command = [sys.executable, "-m", *map(str, arguments)]
        subprocess.run(command, cwd=tmp_path, env=environment, timeout=300, check=True)
    for before, after in ((files(analysed()), files(results)), (files(built()), files(out))):
        assert after.keys() == before.keys()
        assert [name for name in before if after[name] != before[name]] == []
