"""The examples of docs/extending.md, by the real commands, in a copy of the project."""

import json
import re

import pytest

from experiments.record import read
from tests.checkout import ROOT, copy_of_checkout, results, succeeds

DOC = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
#: The examples: files by path, and what is added to files that are there.
NEW = dict(re.findall(r"New file `([^`]+)`[^:]*?:[^`]*?\n\n```\w+\n(.*?)```", DOC, re.DOTALL))
ADDED = dict(re.findall(r"At the end of `([^`]+)`[^:]*:\n\n```\w+\n(.*?)```", DOC, re.DOTALL))


pytestmark = pytest.mark.pipeline
SMOKE = ("--profile", "smoke")
TRAIN = ("-m", "experiments", "train", *SMOKE, "--only")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return copy_of_checkout(tmp_path_factory.mktemp("extension") / "checkout")


def add(checkout, *starts):
    """The examples whose paths start so."""
    for path in filter(lambda path: path.startswith(starts), NEW):
        (checkout / path).write_text(NEW[path], encoding="utf-8")
    for path in filter(lambda path: path.startswith(starts), ADDED):
        with (checkout / path).open("a", encoding="utf-8") as file:
            file.write("\n" + ADDED[path])


def test_a_network_is_one_file_and_one_entry_of_the_study(checkout):
    add(checkout, "models/", "experiments/study.toml")
    assert "VGG-6" in succeeds(checkout, "-m", "models").stdout
    assert "Conv2d" in succeeds(checkout, "-m", "models", "vgg-6").stdout
    assert "VGG6.s0" in succeeds(checkout, "-m", "experiments", "status", *SMOKE).stdout
    succeeds(checkout, *TRAIN, "VGG6.s0")
    (path,) = results(checkout).glob("*.json")
    record = json.loads(path.read_text())
    assert (path.stem, record["status"]) == ("VGG6.s0", "finished")
    written = path.stat().st_mtime_ns
    succeeds(checkout, *TRAIN, "VGG6.s0")
    assert path.stat().st_mtime_ns == written  # it is fresh
    succeeds(checkout, "-m", "analysis", *SMOKE)
    out = checkout / "analysis" / "out" / "smoke"
    # The networks of this process are those of the project, not of the copy: no schema of ours.
    table = json.loads((out / "results.json").read_text())["tables"]["results"]
    (row,) = (row for row in table["rows"] if row[0]["value"] == "VGG-6")
    measured = dict(zip((column["key"] for column in table["columns"]), row, strict=True))
    assert measured["accuracy"]["value"]["value"] == record["test"]["accuracy"]
    for name in ("accuracy", "pareto"):
        assert "VGG-6" in (out / "figures" / f"{name}.en.svg").read_text()


def test_a_data_set_is_one_file_whatever_the_size_and_colours_of_its_images(checkout):
    add(checkout, "experiments/datasets/coloured.py")
    runs = "LeNet.s0,ResNet18.s0"  # one channel of 28 px, three of 36
    succeeds(checkout, *TRAIN, runs, "--dataset", "coloured-10")
    folder = results(checkout).with_name("smoke-coloured")
    for name in runs.split(","):
        text = (folder / f"{name}.json").read_text()
        assert '"dataset": "Coloured"' in text and '"status": "finished"' in text


def test_a_probe_is_one_file_and_leaves_the_other_records_fresh(checkout):
    succeeds(checkout, *TRAIN, "LeNet.s0")
    add(checkout, "experiments/training/probes/weight_norm.py")
    succeeds(checkout, *TRAIN, "LeNet.s0,DenseNet.s0")
    assert read(results(checkout) / "LeNet.s0.json").probes.more == {}
    before, after = read(results(checkout) / "DenseNet.s0.json").probes.more["weight_norm"]
    assert 0 < before != after > 0


def test_a_limit_of_minutes_starts_no_run_that_would_end_later(checkout):
    study = checkout / "experiments" / "study.toml"
    long = "\n[profile.smoke.network.ResNet18]\nepochs = 1000\n"
    study.write_text(study.read_text() + long)
    train = (*TRAIN, "LeNet.s0,ResNet18.s0", "--minutes")
    said = succeeds(checkout, *train, "1").stderr
    assert "ResNet18.s0: would not end in time" in said
    assert "1 of 2 runs are finished and safe; 1 would not have ended within 1 min" in said
    assert read(results(checkout) / "LeNet.s0.json").status == "finished"
    study.write_text(study.read_text().replace(long, ""))
    succeeds(checkout, *train, "10")
    assert read(results(checkout) / "ResNet18.s0.json").status == "finished"


def test_a_finding_a_figure_and_a_table_are_one_file_and_their_words(checkout):
    add(checkout, "analysis/", "templates/")
    english = checkout / "templates" / "findings" / "dense-beats-lenet.en.md"
    chinese = english.with_name("dense-beats-lenet.zh.md")
    chinese.write_text(english.read_text().replace("This cannot be tested", "无法检验"))
    for lang in ("zh", "en"):
        (checkout / "templates" / "sections" / f"075-economy.{lang}.md").write_text(
            '# Cost\n\n{{ finding("dense-beats-lenet") }}\n\n'
            '{% call figure("throughput") %}Throughput.{% endcall %}\n\n'
            '{% call table("speed") %}Speed.{% endcall %}\n'
        )
    succeeds(checkout, *TRAIN, "LeNet.s0,DenseNet.s0")
    succeeds(checkout, "-m", "analysis", *SMOKE)
    out = checkout / "analysis" / "out" / "smoke"
    assert "DenseNet" in (out / "figures" / "throughput.en.svg").read_text()
    succeeds(checkout, "-m", "report", *SMOKE, "--only", "html")
    page = (checkout / "report" / "out" / "smoke" / "report.html").read_text()
    assert "DenseNet is more accurate than LeNet" in page
    assert "en-fig-throughput" in page
    assert "en-tab-speed" in page and "Training images a second" in page
