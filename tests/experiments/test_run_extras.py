"""What a run leaves besides its record: log, weights, tracker; and sweeps of the command line."""

import argparse
import hashlib
import json
import os
import re
import types

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import main
import models
from experiments import study
from experiments.record import read
from experiments.scheduling import worker
from experiments.training.state import Extras, Job
from tests.checkout import ROOT, called, run


@pytest.fixture
def folder(monkeypatch, tmp_path, checkpoints):
    for module in ("scheduling.worker", "scheduling.log"):
        monkeypatch.setattr(f"experiments.{module}.RESULTS", tmp_path)
    monkeypatch.setattr("experiments.scheduling.worker.end_with_parent", lambda: None)
    (tmp_path / "smoke").mkdir()
    return tmp_path / "smoke"


def train(network="LeNet", **extras):
    """The last message of a run to its supervisor."""
    config = study.load().config("smoke", network, {}, epochs=2)
    messages = []
    supervisor = types.SimpleNamespace(send=messages.append)
    worker.work(Job(f"{network}.s0", config, "smoke", 1, extras=Extras(**extras)), supervisor)
    return messages[-1]


def test_weights_lie_beside_the_record_with_their_hash_in_it(folder):
    assert train(save=True)[0] == "done"
    record, path = read(folder / "LeNet.s0.json"), folder / "LeNet.s0.safetensors"
    assert record.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    net = models.load(folder / "LeNet.s0.json")
    assert sum(p.numel() for p in net.parameters()) == record.network.parameters
    assert train()[0] == "done"  # without: those of the run before are gone
    again = read(folder / "LeNet.s0.json")
    assert again.weights_sha256 is None and not path.exists()
    assert again.test == record.test and again.probes == record.probes


@pytest.mark.pipeline
def test_probes_can_be_taken_again_from_the_weights(folder, monkeypatch):
    assert train("SEResNet18", save=True)[0] == "done"
    monkeypatch.setattr("experiments.prediction.predict.RESULTS", folder.parent)
    threads = torch.get_num_threads()
    done = called("experiments.training.probes.__main__", "SEResNet18.s0", "--profile", "smoke")
    torch.set_num_threads(threads)
    found = json.loads(done.stdout)
    recorded = read(folder / "SEResNet18.s0.json").probes.model_dump(mode="json")
    assert found["block_gains"] == recorded["block_gains"][-1]["blocks"]
    assert len(found["block_gains"]) == len(found["se_weights"]) == 8
    assert found["se_weights"] == recorded["se_weights"]


def test_a_run_has_a_log(folder):
    train()
    lines = (folder / "LeNet.s0.log").read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [\d:]{8} LeNet\.s0: \{.*\}", lines[0])
    said = ("epoch 1:", "epoch 2:", "finished, test accuracy")
    assert [each in line for each, line in zip(said, lines[1:], strict=True)] == [True] * 3


def test_a_failure_leaves_its_traceback_in_the_log_which_the_record_names(folder, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the bank is on fire")

    monkeypatch.setattr("experiments.training.run.train", broken)
    kind, content = train()
    assert (kind, content.status) == ("done", "failed")
    assert content.reason == "the bank is on fire (log: LeNet.s0.log)"
    assert read(folder / "LeNet.s0.json") == content
    log = (folder / "LeNet.s0.log").read_text()
    assert "Traceback (most recent call last)" in log and "in broken" in log

    def missing(_):
        raise OSError("no data")

    monkeypatch.setattr("experiments.datasets.splits.load", missing)  # it cannot begin
    assert train() == ("error", f"no data (log: {folder / 'LeNet.s0.log'})")
    assert "in missing" in (folder / "LeNet.s0.log").read_text()


def test_tensorboard_gets_every_step_and_epoch(folder, monkeypatch):
    pytest.importorskip("torch.utils.tensorboard")
    monkeypatch.setattr("experiments.scheduling.tensorboard.FOLDER", folder / "events")
    train(tracker="tensorboard")
    record = read(folder / "LeNet.s0.json")
    events = EventAccumulator(str(folder / "events" / "smoke" / "LeNet.s0")).Reload()
    steps = events.Scalars("loss/step")
    assert [event.step for event in steps] == list(range(6))  # 192 images in batches of 64, twice
    found = [event.value for event in events.Scalars("loss/training")]
    assert found == pytest.approx([epoch.train_loss for epoch in record.history], rel=1e-5)
    assert sum(event.value for event in steps[:3]) / 3 == pytest.approx(found[0], rel=1e-4)
    assert events.Scalars("accuracy/test")[0].value == pytest.approx(record.test.accuracy)


def asked(**given):
    return main.planned(argparse.Namespace(recipe=None, **given), "quick")


def test_several_values_make_every_combination():
    runs = [each.id for each in asked(model="SEResNet18", ratio=[2, 4, 8], seed=[0, 1])]
    assert runs == [
        f"SEResNet18{tag}.s{seed}" for tag in ("", "-ratio4", "-ratio8") for seed in (0, 1)
    ]
    rates = [each.id for each in asked(model="LeNet", learning_rate=[1e-3, 1e-2])]
    assert len(set(rates)) == 2


def test_values_are_separated_by_commas():
    assert main.several(int)("2,4,4,8") == [2, 4, 8]
    with pytest.raises(ValueError):
        main.several(int)("2;4")


def test_a_log_gets_no_bars_whatever_force_color_says():
    code = (
        "from types import SimpleNamespace as Made\n"
        "from experiments.scheduling.progress import Display\n"
        "with Display() as display:\n"
        "    display.start([('LeNet.s0', 1.0)])\n"
        "    display.run_started('LeNet.s0')\n"
        "    for step in range(50): display.run_step('LeNet.s0', step, 50, 100.0)\n"
        "    done = Made(test=Made(accuracy=0.5), timing=Made(wall_seconds=1))\n"
        "    display.run_done('LeNet.s0', done)\n"
    )
    done = run(ROOT, "-c", code, env=os.environ | {"FORCE_COLOR": "1"})
    expected = "1 run to train\n[1/1] LeNet.s0: test accuracy 50.00%, 1 s\n"
    assert (done.stderr, done.stdout) == (expected, "")
