"""The whole pipeline on real MNIST in the smoke profile, as a user runs it: in a copy of the
checkout, through the real commands."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from experiments import study
from experiments.record import read
from experiments.training import device as machine
from experiments.versions import in_fp32
from tests import checkout as copies
from tests.checkout import QUICKEST, ROOT, edit, results, start, succeeds, timeless
from tests.fault_kit import until

pytestmark = pytest.mark.pipeline
SMOKE = ("--profile", "smoke")
TRAIN = ("-m", "experiments", "train", *SMOKE)
STATUS = ("-m", "experiments", "status", *SMOKE)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A copy of the checkout after training on the smoke profile, with the network cut off."""
    folder = tmp_path_factory.mktemp("pipeline")
    checkout = copies.copy_of_checkout(folder / "checkout")
    options, _ = copies.cut_off(folder)
    succeeds(checkout, *TRAIN, **options)
    return checkout


@pytest.fixture(scope="module")
def reported(trained):
    succeeds(trained, "-m", "analysis", *SMOKE)
    succeeds(trained, "-m", "report", *SMOKE, "--only", "html")  # the whole: main.py, below
    return trained


@pytest.fixture
def small(tmp_path):
    """A copy of the checkout whose study has three small runs."""
    return copies.copy_of_checkout(tmp_path / "checkout", *QUICKEST)


def test_every_run_of_the_study_has_a_valid_record(trained):
    able = machine.computes_in_bf16(machine.pick_device())
    for planned in study.load().plan("smoke"):
        record = read(results(trained) / f"{planned.id}.json")
        assert record.status in ("finished", "diverged")
        assert record.config == (planned.config if able else in_fp32(planned.config))
        assert record.history or record.status == "diverged"
        assert record.probes.gradient_norms.norms
        blocks = "ResNet" in planned.id or "PlainNet" in planned.id
        assert bool(record.probes.block_gains) == blocks
        assert bool(record.probes.se_weights) == planned.id.startswith("SE")
    assert sum(f.stat().st_size for f in results(trained).glob("*.json")) < 2_000_000


def test_training_asks_for_no_network(trained):
    assert (trained.parent / "log").read_text() == ""


def times(folder, *suffixes):
    """When the files of a folder were last written."""
    files = (path for path in folder.rglob("*") if path.suffix in suffixes)
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_second_call_changes_nothing_and_is_quick(reported):
    def state():
        drawn = times(reported / "analysis" / "out", ".json", ".svg", ".pdf", ".png", ".csv")
        return times(results(reported), ".json") | drawn

    before, started = state(), time.monotonic()
    succeeds(reported, *TRAIN)
    succeeds(reported, "-m", "analysis", *SMOKE)
    assert state() == before
    assert time.monotonic() - started < 10  # 3 s on an idle machine


def test_only_a_deleted_run_is_trained_again_and_comes_out_equal(trained):
    path = results(trained) / "DenseNet.s0.json"
    before = timeless(path)
    path.unlink()
    others = times(results(trained), ".json")
    status = succeeds(trained, *STATUS).stdout
    runs = len(study.load().plan("smoke"))
    assert f"{runs - 1} of {runs} runs are fresh" in status
    assert re.search(r"DenseNet\.s0 +missing", status)
    assert "1 run to train" in succeeds(trained, *TRAIN).stderr
    assert timeless(path) == before
    assert times(results(trained), ".json").items() > others.items()


@pytest.mark.soak
def test_every_network_comes_out_bit_for_bit_on_one_core(trained, tmp_path):
    checkout = copies.copy_of_checkout(tmp_path / "checkout")
    succeeds(checkout, *TRAIN, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    for planned in study.load().plan("smoke"):
        name = f"{planned.id}.json"
        assert timeless(results(checkout) / name) == timeless(results(trained) / name)


def test_main_trains_reports_and_refreshes_the_report(reported):
    out = reported / "report" / "out" / "smoke" / "report.html"
    before = out.read_bytes()
    settings = ("--model", "dense-net", "--gr", "12", "--lr", "2e-3", "--test", *SMOKE)
    done = succeeds(reported, "main.py", *settings)
    assert "DenseNet-gr12-lr0.002.s0: test accuracy" in done.stdout
    record = read(results(reported) / "DenseNet-gr12-lr0.002.s0.json")
    assert record.config.options["growth_rate"] == 12
    assert record.config.learning_rate == 0.002
    after = out.read_bytes()
    assert after != before
    assert b"DenseNet-gr12-lr0.002.s0" in after
    assert {path.name for path in out.parent.glob("*.pdf")} == {"report.zh.pdf", "report.en.pdf"}
    done = succeeds(reported, "main.py", "--model", "LeNet", "--report", "no", *SMOKE)
    assert "validation accuracy" in done.stdout


def test_a_stop_says_what_is_safe_and_the_next_call_goes_on(small):
    process = start(small, *TRAIN)
    assert until(lambda: list(results(small).glob("*.json")))
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - started < 5
    if process.returncode == 0:  # everything was done before the signal came
        return
    assert process.returncode == 128 + signal.SIGINT
    assert re.search(r"stopped: \d of 3 runs are finished and safe", err)
    finished = times(results(small), ".json")
    succeeds(small, *TRAIN)
    after = times(results(small), ".json")
    assert after.items() >= finished.items()
    assert {path.stem for path in after} == set(QUICKEST)


def test_a_network_of_a_new_version_is_stale_and_the_others_are_not(trained):
    path = trained / "experiments" / "versions" / "components.toml"
    before = path.read_text()
    edit(path, "\ndensenet = 1\n", "\ndensenet = 2\n")
    try:
        status = succeeds(trained, *STATUS).stdout
    finally:
        path.write_text(before)
    plan = study.load().plan("smoke")
    stale = {planned.id for planned in plan if planned.config.network == "DenseNet"}
    assert f"{len(plan) - len(stale)} of {len(plan)} runs are fresh" in status
    assert set(re.findall(r"(\S+) +stale", status)) == stale


def test_a_sweep_by_make_keeps_weights_and_leaves_the_report_alone(small):
    for name in ("Makefile", "setup.sh"):
        shutil.copy(ROOT / name, small)
    (small / "setup.sh").write_text("#!/bin/sh\n")  # what the tests run in is there
    (small / ".venv").symlink_to(sys.prefix)

    def make(*words):
        return subprocess.run(
            ["make", *words, "PROFILE=smoke"],
            cwd=small, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    done = make("experiment", "MODEL=LeNet", "LR=0.002,0.001,0.0005", "SEED=0,1", "REPORT=no")
    assert done.returncode == 0, done.stderr
    settings = ("LeNet-lr0.002", "LeNet", "LeNet-lr0.0005")  # 0.001 is the study's
    runs = [f"{setting}.s{seed}" for setting in settings for seed in (0, 1)]
    told = re.findall(r"^(\S+): test accuracy", done.stdout, re.M)
    assert told == runs
    kinds = {".json", ".safetensors", ".log"}
    for run_id in runs:
        assert {path.suffix for path in results(small).glob(f"{run_id}.*")} == kinds
    assert not (small / "analysis/out").exists() and not (small / "report/out").exists()
    drawn = make("figure", "NAME=own-experiments")
    assert drawn.returncode == 0, drawn.stderr
    svg = (small / "analysis/out/smoke/figures/own-experiments.en.svg").read_text()
    assert svg.index("learning_rate=0.0005") < svg.index("learning_rate=0.002")
