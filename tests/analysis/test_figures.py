"""The figures: complete, legible, the same each time, and true to the records."""

import csv
import dataclasses
import functools
import io
import itertools
import re
import warnings
import xml.etree.ElementTree as ET

import numpy as np
import pymupdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import models
from analysis import render as files
from analysis.evidence import Evidence
from analysis.figures import NothingToDraw, confusion, figures, pareto
from analysis.figures.common import estimates, marks, theme
from analysis.figures.common.axes import accuracy_axis, log_axis
from analysis.figures.common.diagram import Diagram
from analysis.figures.common.text import FOLDER, Words
from analysis.records import Records
from experiments import study
from models import UsageError
from tests.factory import Outcome, make, outcome, replaced

LANGS = ("zh", "en")


def diverged(*names):
    return {name: outcome(name.partition(".")[0], status="diverged") for name in names}


LOST = ("ResNet18-mul", "ResNet18-mul-nobn", "PlainNet34", "ResNet101", "ResNet18-softmax")
MISSING = ("DenseNet", "SEResNet18", "ResNet18-sub", "PlainNet18", "ResNet34")
SCENARIOS = {
    "one seed": make,
    "three seeds, far apart": lambda: make(profile="standard", seeds=3, seed_sd=0.01),
    "one epoch": lambda: make(profile="smoke"),
    "until stable": lambda: make(profile="full"),
    "some diverged": lambda: make(specs=diverged(*LOST)),
    "one seed of three diverged": lambda: make(
        seeds=3, specs=diverged("ResNet18-mul.s1", "PlainNet34.s2", "SEResNet34.s0")
    ),
    "some missing": lambda: make(without=MISSING),
}


@functools.cache
def scenario(name) -> Records:
    return SCENARIOS[name]()


_FIRST, *_OTHERS = SCENARIOS


@pytest.fixture(
    params=[_FIRST, *(pytest.param(name, marks=pytest.mark.pipeline) for name in _OTHERS)]
)
def records(request):
    return scenario(request.param)


@pytest.fixture(params=[name for name in figures() if name not in ("ladder", "own-experiments")])
def module(request):
    """Every figure but those of several rungs (test_ladder.py) and of one's own experiments."""
    return figures()[request.param]


def drawn(module, records, lang) -> Figure | Diagram | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return module.draw(records, lang)
        except NothingToDraw:
            return None


def said(name, records, lang="en"):
    """All texts of a figure, and its text alternative."""
    figure = figures()[name].draw(records, lang)
    return "\n".join([figure.alt, *(text.get_text() for text in figure.findobj(Text))])


def test_every_figure_has_its_words_and_nothing_else_has():
    assert {path.stem for path in FOLDER.iterdir()} == {*figures(), "common"}


def test_texts_are_inside_and_apart_and_told_in_both_languages(module, records):
    chinese, english = (drawn(module, records, lang) for lang in LANGS)
    for figure in (chinese, english):
        if not isinstance(figure, Diagram):  # see test_texts_of_diagrams_are_inside_and_apart
            _check_texts(figure)
    assert re.search("[一-鿿]", chinese.alt) and chinese.alt.endswith("。")
    assert english.alt.isprintable() and not re.search("[一-鿿，。：；（）]", english.alt)
    assert english.alt.endswith(".") and not re.search(r"[{}]", chinese.alt + english.alt)
    numbers = [sorted(re.findall(r"\d+\.\d+", figure.alt)) for figure in (chinese, english)]
    assert numbers[0] == numbers[1]


def _check_texts(figure: theme.Sheet):
    assert figure.get_size_inches()[0] == theme.WIDTH
    figure.draw_without_rendering()
    page = figure.bbox.padded(figure.dpi / 72)
    boxes = []
    for text in set(figure.findobj(Text)) - {*_unused(figure)}:
        if text.get_text().strip() and text.get_visible():
            box = text.get_window_extent()
            assert page.contains(*box.p0) and page.contains(*box.p1), f"{text.get_text()!r} is cut"
            assert text.get_fontsize() >= theme.SIZE
            boxes.append((text.get_text(), box.padded(-1.5 * figure.dpi / 72)))
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert not first.overlaps(second), f"{one!r} covers {other!r}"


def _unused(figure):
    """Labels of ticks outside the limits: they are never drawn."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                yield from (tick.label1, tick.label2)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", ["networks", "densenet", "senet", "residual-block"])
def test_texts_of_diagrams_are_inside_and_apart(name, lang):
    figure = drawn(figures()[name], scenario("one seed"), lang)
    page = pymupdf.open(stream=files.pdf(files.svg(figure), figure.get_size_inches()))[0]
    assert tuple(page.rect.br) == pytest.approx([72 * x for x in figure.get_size_inches()], abs=0.1)
    lines = [line for block in page.get_text("dict")["blocks"] for line in block["lines"]]
    found = [span for line in lines for span in line["spans"] if span["text"].strip()]
    spans = [(span["text"], pymupdf.Rect(span["bbox"])) for span in found]
    assert len(spans) > 10
    for text, box in spans:
        inside = box.x0 >= -1 and box.x1 <= page.rect.width + 1 and box.y1 <= page.rect.height + 4
        assert inside, f"{text!r} is cut"
    for (one, first), (other, second) in itertools.combinations(spans, 2):
        common = first & second  # boxes of text are higher than its letters
        apart = common.is_empty or common.width < 1.5 or common.height < 5
        assert apart, f"{one!r} covers {other!r}"


def test_a_sweep_of_ones_own_is_drawn_in_order_below_the_planned_run():
    module, load = figures()["own-experiments"], study.load()
    assert drawn(module, scenario("one seed"), "en") is None
    sweep = [
        (load.config("quick", "SEResNet18", {"ratio": ratio}, seed=seed), Outcome(accuracy=0.99))
        for ratio in (16, 4, 8)
        for seed in (0, 1)
    ]
    broken = load.config("quick", "DenseNet", {}, learning_rate=1.0)
    records = make(extra=[*sweep, (broken, Outcome(status="diverged"))])
    own = records.only(module.runs(records))  # what it is drawn from
    assert len(own.by_id) == 9
    for lang in LANGS:
        figure = drawn(module, own, lang)
        _check_texts(figure)
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert labels[3:] == ["ratio=4", "ratio=8", "ratio=16"]
    assert labels[0] == "DenseNet, planned: learning_rate=0.003"
    assert labels[1:3] == ["learning_rate=1.0", "SE-ResNet-18, planned: ratio=2"]
    assert "3 of 3 settings have a higher mean" in said("own-experiments", own)
    alone = make(without=["SEResNet18"], extra=sweep)
    assert "SEResNet18-ratio16\nSEResNet18-ratio4\n" in said("own-experiments", alone)
    assert "learning_rate=1.0 diverged" in figure.alt and "ratio=16 99.00%" in figure.alt


def test_own_experiments_beyond_a_page_are_counted():
    rates = [round(0.0005 + 0.0001 * step, 4) for step in range(40)]
    many = [study.load().config("quick", "LeNet", {}, learning_rate=rate) for rate in rates]
    records = make(extra=[(config, Outcome()) for config in many])
    assert figures()["own-experiments"].draw(records, "en").get_size_inches()[1] < 9
    assert " more settings are in the table" in said("own-experiments", records)


@pytest.mark.parametrize("lang", LANGS)
def test_svg_is_fit_for_a_page(module, lang):
    figure = drawn(module, scenario("one seed"), lang)
    text = files.svg(figure).decode()
    assert text.startswith("<svg") and "<style" not in text and "<metadata" not in text
    root = ET.fromstring(text)
    for key, side in zip(("width", "height"), figure.get_size_inches(), strict=True):
        assert float(root.get(key).removesuffix("pt")) == pytest.approx(72 * side, abs=0.01)
    ids = re.findall(r' id="([^"]*)"', text)
    used = {a or b for a, b in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)}
    assert len(ids) == len(set(ids)) and set(ids) == used
    assert "<text" in text and theme.INK in text and len(text) < 150_000


def test_a_text_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr("analysis.figures.common.text._read", lambda name: {"a": {"zh": "{x}"}})
    with pytest.raises(UsageError, match=r"templates/figures/depth.toml: a \(en\)"):
        Words("depth", "en")("a")
    with pytest.raises(UsageError, match=r"a \(zh\).*x"):
        Words("depth", "zh")("a", y=1)


def test_prints_are_of_the_figures_size():
    figure = drawn(figures()["depth"], scenario("one seed"), "zh")
    width, height = figure.get_size_inches()
    bitmap = Image.open(io.BytesIO(files.png(figure)))
    assert bitmap.size == (int(300 * width), int(300 * height))
    assert bitmap.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    page = pymupdf.open(stream=files.pdf(files.svg(figure), figure.get_size_inches()))[0]
    assert tuple(page.rect.br) == pytest.approx((72 * width, 72 * height), abs=0.01)
    assert "PlainNet-34" in page.get_text() and "训练损失，对数刻度" in page.get_text()
    assert {font[2] for font in page.get_fonts()} == {"Type0"}  # journals refuse Type 3


# --- Words and records ------------------------------------------------------------------------


def test_a_figure_says_what_the_records_show():
    assert "down from 96.88% (PlainNet-18) to 90.11% (PlainNet-34)" in said("depth", make())
    better = make(specs={"PlainNet34": outcome("PlainNet34", accuracy=0.98, train_loss=0.01)})
    assert "up from 96.88% (PlainNet-18) to 98.00% (PlainNet-34)" in said("depth", better)


def test_without_records_only_what_shows_none_is_drawn(module):
    records, empty = scenario("one seed"), make(without=theme.LOOKS)
    assert not len(empty)
    assert set(module.runs(records)) <= records.by_id.keys()
    assert (drawn(module, empty, "en") is None) == bool(module.runs(records))


ODD = [
    {"history": lambda epochs: [epoch | {"train_loss": 1e-300} for epoch in epochs]},
    {"history": lambda epochs: [epoch | {"train_loss": 1e300} for epoch in epochs]},
    {"history": []},
    {"probes__block_gains": [], "probes__se_weights": []},
]


@pytest.mark.pipeline
@pytest.mark.parametrize("changes", ODD)
def test_odd_records_are_drawn_or_declined(module, changes):
    whole = scenario("one seed of three diverged")
    by_id = {key: replaced(record, **changes) for key, record in whole.by_id.items()}
    if figure := drawn(module, dataclasses.replace(whole, by_id=by_id), "en"):
        files.png(figure)


@pytest.mark.pipeline
def test_each_run_alone(module):
    """Whatever single run there is, a figure is drawn or declined, never broken."""
    everything = scenario("one seed")
    for run in module.runs(everything):
        alone = dataclasses.replace(everything, by_id={run: everything.by_id[run]})
        figure = drawn(module, alone, "en")
        assert figure is None or module.runs(alone) == (run,)


def test_missing_and_diverged_runs_are_named_in_the_figure():
    for name, figure, lang, text in (
        ("some missing", "operators", "en", "No run yet: ResNet-18 (subtract), PlainNet-18."),
        ("some missing", "depth", "zh", "尚无运行：PlainNet-18。"),
        ("some missing", "accuracy", "en", "no run yet"),
        ("some diverged", "operators", "en", "multiply\ndiverged, step 17"),
        ("some diverged", "operators", "en", "multiply: diverged at step 17"),
        ("some diverged", "operators", "zh", "乘法：第 17 步发散"),
        ("some diverged", "accuracy", "zh", "第 17 步发散"),
        ("one seed of three diverged", "residual", "en", "PlainNet-34\n1 of 3 diverged"),
    ):
        assert text in said(figure, scenario(name), lang)
    assert "No run yet" not in said("depth", scenario("one seed"))


@pytest.mark.parametrize("lang", LANGS)
def test_long_notes_are_broken_into_lines(lang):
    evidence = Evidence(make(without=theme.LOOKS))
    note = estimates.missing(evidence, list(theme.LOOKS), Words("depth", lang))
    sheet = theme.Sheet(1.0, alt="", headline=note, note=note)
    for text in sheet.texts:
        assert text.get_text().count("\n") > 1
        assert re.sub(r"\s", "", text.get_text()) == re.sub(r"\s", "", note)
    assert estimates.missing(evidence, [], Words("depth", lang)) == ""


def test_confusions_are_counted():
    evidence = Evidence(scenario("three seeds, far apart"))
    variant = confusion.best(evidence)
    table = confusion.counts(evidence, variant)
    assert table.sum() == 30_000
    accuracy = estimates.accuracy(evidence, variant).mean
    assert np.trace(table) / table.sum() == pytest.approx(accuracy)
    assert sum(count for *_, count in confusion.pairs(table)) == table.sum() - np.trace(table)


def test_front_holds_what_nothing_beats():
    means = zip("abcde", (0.9, 0.95, 0.94, 0.99, 0.99), strict=True)
    found = {name: estimates.Estimate((mean,), mean, mean) for name, mean in means}
    assert pareto.front(found, {"a": 1, "b": 2, "c": 3, "d": 5, "e": 4}) == ["a", "b", "e"]


# --- Placement and scales ---------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-50, 150), st.floats(1, 30)), max_size=12))
def test_labels_are_apart_in_order_and_no_farther_than_needed(items):
    positions, sizes = [p for p, _ in items], [s for _, s in items]
    placed = marks.spread(positions, sizes, 0.0, 400.0)
    ends = [(at - size / 2, at + size / 2) for at, size in zip(placed, sizes, strict=True)]
    order = [ends[i] for i in sorted(range(len(items)), key=lambda i: positions[i])]
    for one, other in itertools.pairwise([(0, 0), *order, (400, 400)]):
        assert other[0] >= one[1] - 1e-6
    assert marks.spread([10, 50, 90], [10, 10, 10], 0, 100) == pytest.approx([10, 50, 90])


def test_an_interval_far_wider_than_the_points_does_not_stretch_the_axis():
    limits = []
    for ends in ([0.94, 0.991], [0.2, 1.0]):
        axes = Figure().subplots()
        accuracy_axis(axes, [0.95, 0.98, 0.99], ends)
        limits += axes.get_ylim()
    low, high, lowest, highest = limits
    assert low < 0.94 < 0.991 < high  # seen whole
    assert 0.6 < lowest < low < high < highest < 0.999  # cut


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_accuracy_axis_shows_everything(values):
    axes = Figure().subplots()
    accuracy_axis(axes, values)
    low, high = axes.get_ylim()
    # The scale ends where one image in 100,000 is wrong.
    assert all(low - 1e-9 <= min(value, 1 - 1e-5) <= high + 1e-9 for value in values)
    assert sum(low <= tick <= high for tick in axes.get_yticks()) >= 2
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert len(set(shown)) == len(shown)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1e-30, 1e30), min_size=1, max_size=20))
def test_log_axis_shows_everything(values):
    axes = Figure().subplots()
    log_axis(axes, values)
    low, high = axes.get_ylim()
    assert low <= min(values) and max(values) <= high and 1 <= len(axes.get_yticks()) <= 8


# --- Colours ----------------------------------------------------------------------------------

#: Severe protanopia, deuteranopia, tritanopia in linear RGB (Machado, Oliveira, Fernandes 2009).
DEFICIENCIES = {
    "none": np.eye(3),
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
#: Networks that stand together in one figure and differ in family.
TOGETHER = (
    ("LeNet", "AlexNet", "ResNet18", "PlainNet18", "DenseNet", "SEResNet18"),
    ("LeNet", "AlexNet", "ResNet34", "PlainNet34", "DenseNet", "SEResNet34"),
    ("ResNet18", "ResNet18-sub", "ResNet18-mul", "ResNet18-mul-nobn", "PlainNet18"),
    ("ResNet18", "ResNet18-softmax"),
    ("SEResNet18", "SEResNet34"),
)


def linear(colour) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other) -> float:
    first, second = (float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (one, other))
    return max(first, second) / min(first, second)


def test_every_network_has_a_look_that_stands_out_on_light_and_dark():
    assert models.NETWORKS.keys() <= theme.LOOKS.keys()
    colours = [look.colour for look in theme.LOOKS.values()]
    inks = [theme.INK, theme.INK_2, theme.RULE, theme.PAPER]  # a page replaces these
    assert len({*colours, *inks, theme.NEUTRAL}) == len(colours) + 5
    for colour in colours:
        assert contrast(colour, "#ffffff") >= 3 and contrast(colour, "#15171a") >= 3
    assert contrast(theme.INK_2, "#ffffff") >= 4.5
    assert theme.look("ResNet34-stable") == theme.look("ResNet34")
    assert theme.look("SEResNet18-ratio4") == theme.look("SEResNet18")


@pytest.mark.parametrize("kind", DEFICIENCIES)
@pytest.mark.parametrize("group", TOGETHER)
def test_colours_differ_for_every_reader(kind, group):
    colours = np.array([linear(theme.look(variant).colour) for variant in group])
    # Cube roots of light are about proportional to what is perceived.
    seen = np.cbrt(np.clip(colours @ np.array(DEFICIENCIES[kind]).T, 0, 1))
    assert min(np.linalg.norm(one - two) for one, two in itertools.combinations(seen, 2)) > 0.09


@pytest.mark.parametrize("name", ["accuracy", "gains"])
def test_a_lean_drawing_looks_the_same(name):
    """Marks stand where they stood, and are cut off where they were."""
    import resvg_py

    drawing = figures()[name].draw(make(seeds=2), "en")
    raw = files._saved(drawing, "svg", transparent=True, metadata={"Date": None})
    pngs = [
        resvg_py.svg_to_bytes(svg_string=svg.decode(), dpi=96, background="white")
        for svg in (raw, files.lean(raw))
    ]
    one, other = (np.array(Image.open(io.BytesIO(bytes(png))).convert("L"), int) for png in pngs)
    assert one.shape == other.shape
    assert np.abs(one - other).max() < 64  # a mark that is lost differs by more


def test_the_points_of_a_figure_come_with_it():
    records = make(seeds=2)
    _, made = files.draw("accuracy", records)
    rows = list(csv.DictReader(io.StringIO(made["accuracy.csv"].decode())))
    runs = {float(row["x"]) for row in rows if (row["name"], row["what"]) == ("LeNet", "run")}
    assert runs == {records.by_id[f"LeNet.s{seed}"].test.accuracy for seed in (0, 1)}
    assert {row["what"] for row in rows} == {"interval", "run", "mean", "original"}
    assert "senet.csv" not in files.draw("senet", records)[1]  # a diagram has none
