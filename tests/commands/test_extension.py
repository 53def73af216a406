"""The examples of docs/extending.md, by the real commands, in a copy of the project."""

import json
import re

import pytest

from experiments.record import read
from tests.checkout import ROOT, copy_of_checkout, results, run

DOC = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
#: The examples: files by path, and what is added to files that are there.
NEW = dict(re.findall(r"New file `([^`]+)`[^:]*?:[^`]*?\n\n```\w+\n(.*?)```", DOC, re.DOTALL))
ADDED = dict(re.findall(r"At the end of `([^`]+)`[^:]*:\n\n```\w+\n(.*?)```", DOC, re.DOTALL))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return copy_of_checkout(tmp_path_factory.mktemp("extension") / "checkout")


def add(checkout, *paths):
    for path in paths:
        (checkout / path).write_text(NEW[path], encoding="utf-8")


def append(checkout, path):
    with (checkout / path).open("a", encoding="utf-8") as file:
        file.write("\n" + ADDED[path])


def read_json(path):
    return json.loads(path.read_text())


def command(checkout, *arguments):
    done = run(checkout, "-m", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.pipeline
def test_a_network_is_one_file_and_one_entry_of_the_study(checkout):
    add(checkout, "models/vgg.py")
    append(checkout, "experiments/study.toml")
    assert "VGG-6" in command(checkout, "models")
    assert "Conv2d" in command(checkout, "models", "vgg-6")
    assert "VGG6.s0" in command(checkout, "experiments", "status", "--profile", "smoke")
    train = ("experiments", "train", "--profile", "smoke", "--only", "VGG6.s0")
    command(checkout, *train)
    path = results(checkout) / "VGG6.s0.json"
    assert read_json(path)["status"] == "finished"
    assert [each.name for each in path.parent.glob("*.json")] == [path.name]
    written = path.stat().st_mtime_ns
    command(checkout, *train)
    assert path.stat().st_mtime_ns == written  # it is fresh
    command(checkout, "analysis", "--profile", "smoke")
    out = checkout / "analysis" / "out" / "smoke"
    # The networks of this process are those of the project, not of the copy: no schema of ours.
    table = read_json(out / "results.json")["tables"]["results"]
    (row,) = (row for row in table["rows"] if row[0]["value"] == "VGG-6")
    measured = dict(zip((column["key"] for column in table["columns"]), row, strict=True))
    assert measured["accuracy"]["value"]["value"] == read_json(path)["test"]["accuracy"]
    for name in ("accuracy", "pareto"):
        assert "VGG-6" in (out / "figures" / f"{name}.en.svg").read_text()


@pytest.mark.pipeline
def test_a_data_set_is_one_file_whatever_the_size_and_colours_of_its_images(checkout):
    add(checkout, "experiments/datasets/coloured.py")
    runs = "LeNet.s0,ResNet18.s0"  # one channel of 28 px, three of 36
    command(
        checkout, "experiments", "train", "--profile", "smoke", "--dataset", "coloured-10",
        "--only", runs,
    )  # fmt: skip
    folder = results(checkout).with_name("smoke-coloured")
    for name in runs.split(","):
        text = (folder / f"{name}.json").read_text()
        assert '"dataset": "Coloured"' in text
        assert '"status": "finished"' in text


@pytest.mark.pipeline
def test_a_probe_is_one_file_and_leaves_the_other_records_fresh(checkout):
    train = ("experiments", "train", "--profile", "smoke", "--only")
    command(checkout, *train, "LeNet.s0")
    add(checkout, "experiments/training/probes/weight_norm.py")
    command(checkout, *train, "LeNet.s0,DenseNet.s0")
    assert read(results(checkout) / "LeNet.s0.json").probes.more == {}
    before, after = read(results(checkout) / "DenseNet.s0.json").probes.more["weight_norm"]
    assert 0 < before != after > 0


@pytest.mark.pipeline
def test_a_limit_of_minutes_starts_no_run_that_would_end_later(checkout):
    study = checkout / "experiments" / "study.toml"
    long = "\n[profile.smoke.network.ResNet18]\nepochs = 1000\n"
    study.write_text(study.read_text() + long)
    train = ("-m", "experiments", "train", "--profile", "smoke", "--only", "LeNet.s0,ResNet18.s0")
    done = run(checkout, *train, "--minutes", "1")
    assert done.returncode == 0, done.stderr
    assert "ResNet18.s0: would not end in time" in done.stderr
    assert "1 of 2 runs are finished and safe; 1 would not have ended within 1 min" in done.stderr
    assert read(results(checkout) / "LeNet.s0.json").status == "finished"
    study.write_text(study.read_text().replace(long, ""))
    done = run(checkout, *train, "--minutes", "10")
    assert done.returncode == 0, done.stderr
    assert read(results(checkout) / "ResNet18.s0.json").status == "finished"


@pytest.mark.pipeline
def test_a_finding_a_figure_and_a_table_are_one_file_and_their_words(checkout):
    add(
        checkout,
        "analysis/findings/economy.py",
        "analysis/figures/throughput.py",
        "analysis/tables/speed.py",
        "templates/findings/dense-beats-lenet.en.md",
        "templates/figures/throughput.toml",
    )
    append(checkout, "analysis/protocol.toml")
    append(checkout, "templates/tables.toml")
    english = checkout / "templates" / "findings" / "dense-beats-lenet.en.md"
    chinese = english.with_name("dense-beats-lenet.zh.md")
    chinese.write_text(english.read_text().replace("This cannot be tested", "无法检验"))
    for lang in ("zh", "en"):
        (checkout / "templates" / "sections" / f"075-economy.{lang}.md").write_text(
            '# Cost\n\n{{ finding("dense-beats-lenet") }}\n\n'
            '{% call figure("throughput") %}Throughput.{% endcall %}\n\n'
            '{% call table("speed") %}Speed.{% endcall %}\n'
        )
    train = ("experiments", "train", "--profile", "smoke", "--only", "LeNet.s0,DenseNet.s0")
    command(checkout, *train)
    command(checkout, "analysis", "--profile", "smoke")
    out = checkout / "analysis" / "out" / "smoke"
    assert "DenseNet" in (out / "figures" / "throughput.en.svg").read_text()
    command(checkout, "report", "--profile", "smoke", "--only", "html")
    page = (checkout / "report" / "out" / "smoke" / "report.html").read_text()
    assert "DenseNet is more accurate than LeNet" in page
    assert "en-fig-throughput" in page
    assert "en-tab-speed" in page and "Training images a second" in page
