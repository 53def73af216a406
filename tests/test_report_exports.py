"""Tables and figures as files: all there, the same bytes each time, drawn anew only if need be."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from analysis.figures import figures
from experiments.record import read, write
from report import inputs, material
from report.inputs import Snapshot
from report.numbers import LANGS
from tests import factory
from tests.report_kit import built
from tests.report_kit import material as kit_material

ROOT = Path(__file__).parent.parent
#: Builds a report with a cache of its own: nothing that was made before can be taken.
_COLD = """
import sys
from pathlib import Path
from report import build, inputs, material
inputs.CACHE = material.CACHE = Path(sys.argv[1])
out = Path(sys.argv[3])
build.build(Path(sys.argv[2]), out, ready=lambda: print(*sorted(p.name for p in out.iterdir())))
"""


@pytest.fixture(scope="module")
def out():
    return built()


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_table_and_figure_is_there_in_every_form(out):
    drawn = {
        f"figures/{name}.{lang}.{kind}"
        for name in figures() for lang in LANGS for kind in ("svg", "pdf", "png")
    }  # fmt: skip
    listed = {
        f"tables/{name}.{kind}"
        for name in kit_material().tables for kind in ("csv", "zh.tex", "en.tex")
    }  # fmt: skip
    reports = {"report.html", "report.zh.pdf", "report.en.pdf"}
    assert files(out) == drawn | listed | reports


@pytest.mark.parametrize("lang", LANGS)
def test_prints_are_of_the_drawings_size(out, lang):
    page = pymupdf.open(out / f"figures/depth.{lang}.pdf")[0]
    bitmap = Image.open(out / f"figures/depth.{lang}.png")
    assert bitmap.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert bitmap.size == pytest.approx(
        (page.rect.width / 72 * 300, page.rect.height / 72 * 300), abs=1
    )
    assert "PlainNet-34" in page.get_text()


def test_the_same_records_give_the_same_bytes(out, tmp_path):
    """In another process, elsewhere, with nothing kept and another order of sets."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    arguments = [tmp_path / "cache", out.parent / "records", tmp_path / "again"]
    done = subprocess.run(
        [sys.executable, "-c", _COLD, *map(str, arguments)],
        cwd=tmp_path, env=environment, timeout=300, check=True, capture_output=True, text=True,
    )  # fmt: skip
    documents = "report.en.pdf report.html report.zh.pdf"
    assert done.stdout.strip() == documents  # they do not wait for the exports
    again = tmp_path / "again"
    assert files(again) == files(out)
    for name in files(out):
        assert (again / name).read_bytes() == (out / name).read_bytes(), name


def test_a_changed_record_redraws_its_own_figures_alone(out, tmp_path):
    results = factory.save(factory.make(), tmp_path / "records")
    record = read(results / "SEAlexNet.s0.json")
    write(record.model_copy(update={"fingerprint": secrets.token_hex(32)}), results)
    kept = inputs.CACHE / "drawn"
    before = {path.name: path.stat().st_ino for path in kept.iterdir()}
    made = material.load(Snapshot.take(results))
    own = {name for name, art in made.figures.items() if record.id in art.runs}
    assert own == {"accuracy", "confusion", "pareto"}
    after = {path.name: path.stat().st_ino for path in kept.iterdir()}
    drawn = [name for name, inode in after.items() if before.get(name) != inode]
    assert len(drawn) == len(own)
    for name, art in made.figures.items():  # the change is of nothing that they show
        for lang in LANGS:
            assert art.svg[lang] == (out / f"figures/{name}.{lang}.svg").read_text("utf-8")
