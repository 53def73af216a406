"""A thousand records: each read once, and what each adds to the report is small."""

import os
import re
import sys

import pytest

from analysis.figures import figures
from analysis.render import svg
from analysis.results import Inputs, make
from report import build
from report.blocks.numbers import LANGS, card_id, folded, sources_text
from tests import factory
from tests.report_kit import material

pytestmark = pytest.mark.pipeline

FEW, MANY = 8, 16
#: Networks that these figures can do without.
WITHOUT = ("PlainNet34", "ResNet34", "ResNet50", "ResNet101", "SEAlexNet", "SEResNet34", "DenseNet")
_watched: dict[str, int] = {}  # a folder, and where to note what is opened in it


def _note(event, arguments):
    if event == "open":
        for folder, handle in _watched.items():
            if str(arguments[0]).startswith(folder) and str(arguments[0]).endswith(".json"):
                os.write(handle, f"{arguments[0]}\n".encode())


def test_each_record_is_opened_once(tmp_path, monkeypatch):
    few = {name: figures()[name] for name in ("accuracy", "depth")}
    monkeypatch.setattr("analysis.results.figures", lambda: few)
    results = factory.save(factory.make(), tmp_path / "records")
    sys.addaudithook(_note)  # holds in the processes forked from this one too
    with (tmp_path / "opened").open("wb") as log:
        _watched[str(results)] = log.fileno()
        try:
            make(Inputs.read(results), tmp_path / "out")
        finally:
            _watched.clear()
    opened = (tmp_path / "opened").read_text().splitlines()
    assert sorted(opened) == sorted(map(str, results.glob("*.json")))


@pytest.fixture(scope="module")
def made():
    return {seeds: material(factory.make(seeds=seeds)) for seeds in (FEW, MANY)}


def test_a_record_adds_little_to_the_page(made):
    pages = {seeds: build.html(found) for seeds, found in made.items()}
    counts = {seeds: len(found.runs) for seeds, found in made.items()}
    sizes = {seeds: len(page.encode()) for seeds, page in pages.items()}
    growth = (sizes[MANY] - sizes[FEW]) / (counts[MANY] - counts[FEW])
    assert growth < 3_200  # bytes, in both languages together: 1,000 records stay below 5 MB
    for record in made[MANY].runs.values():
        for lang in LANGS:
            assert pages[MANY].count(f'id="{card_id(record.id, lang)}"') == 1
        assert record.fingerprint[:10] in pages[MANY]
    for target in set(re.findall(r'href="#([^"]+)"', pages[MANY])):
        assert f'id="{target}"' in pages[MANY], target


@pytest.mark.parametrize("name", ["operators", "pareto", "accuracy"])
def test_a_figure_of_many_runs_stays_small(name):
    made = (factory.make(seeds=seeds, without=WITHOUT) for seeds in (21, 42))
    few, many = (len(svg(figures()[name].draw(records, "en"))) for records in made)
    assert many < 1.1 * few


def test_seeds_in_a_row_are_named_together(made):
    assert folded(("A.s1", "A.s0", "b", "A.s2", "A.s10", "B.s3")) == {
        "b": "b", "A.s0…s2": "A.s0", "A.s10": "A.s10", "B.s3": "B.s3",
    }  # fmt: skip
    effect = made[MANY].findings["plain-degrades"].effect
    assert sources_text(effect.sources).startswith(f"PlainNet18.s0…s{MANY - 1} ")
