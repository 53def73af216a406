"""The benchmark: its arithmetic, its settings, and that all of it runs."""

import functools
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments import data, study
from experiments.benchmark import __main__ as command
from experiments.benchmark import original_way, rounds, table
from experiments.benchmark.accuracy import Comparison
from experiments.benchmark.processes import Failed, in_processes
from experiments.benchmark.rounds import Cell, Spread, Tally
from experiments.benchmark.work import Clock, Measured, Work
from experiments.config import Config
from experiments.images import to_input
from models import UsageError

ROOT = Path(__file__).parent.parent
RIVALS = ("original", "lightning")


def config(network="ResNet18", **changes) -> Config:
    return study.load().config("quick", network, {}, **changes)


def cell(rates: dict[str, list[float]], macs=1000) -> Cell:
    work = Work(config(batch_size=8), warm_up=1, steps=2, macs=macs)
    return Cell(work, {name: Tally(Spread(values), 5) for name, values in rates.items()})


RATES = {
    "ours-1x2": [10.0, 90.0, 20.0],  # mean 40, median 20
    "ours-2x1": [30.0, 29.0, 31.0],
    "original-0": [5.0, 6.0, 100.0],
    "original-2": [4.0, 5.0, 4.5],
    "lightning-0": [12.0, 12.0, 12.0],
    "lightning-2": [15.0, 10.0, 20.0],
}


def test_ratios_are_those_of_medians_and_best_settings():
    it = cell(RATES)
    assert it.best() == {"ours": "ours-2x1", "original": "original-0", "lightning": "lightning-2"}
    assert it.ratios() == {"original": 30 / 6, "lightning": 30 / 15}


def test_share_of_ceiling_counts_six_flops_a_multiply_accumulate():
    assert cell(RATES, macs=1000).share("ours-2x1", 600_000.0) == pytest.approx(0.3)


def test_runs_side_by_side_count_until_the_last_has_ended():
    tally = Tally()
    work = Work(config(batch_size=8), warm_up=1, steps=2, macs=1)
    tally.add(work, [Measured(1.0, 100), Measured(2.0, 50)])
    assert tally.rate.values == [16.0]  # two runs of 16 images in 2 seconds
    assert tally.memory == 150
    tally.add(work, [Measured(1.0, 60), Measured(1.0, 60)])
    assert (tally.rate.values, tally.memory) == ([16.0, 32.0], 150)


def test_a_way_that_failed_is_left_out_and_named():
    it = cell(RATES)
    for way in ("original-0", "original-2", "ours-2x1"):
        it.tallies[way] = Tally(failed="out of memory")
    assert it.best() == {"ours": "ours-1x2", "lightning": "lightning-2"}
    assert it.ratios() == {"lightning": 20 / 15}
    content = it.content(1e6)
    assert content["ways"]["original-0"] == {"failed": "out of memory"}


@pytest.mark.parametrize(("macs", "expected"), [(1, command.MOST_STEPS), (10**15, 1), (10**6, 10)])
def test_a_measurement_is_as_many_steps_as_the_ceiling_allows_in_its_time(macs, expected):
    limit = 10 * 6 * 10**6 * 8 / command.SECONDS_AT_CEILING
    assert command.steps(macs, 8, limit) == expected


def test_configurations_take_each_network_at_each_size_once():
    found = command.configurations(("ResNet18", "LeNet"), ("quick", "224"), gpu=False)
    assert [(c.network, c.input_size) for c in found] == [
        ("ResNet18", 36),
        ("ResNet18", 224),
        ("LeNet", 28),
    ]
    assert found[1].batch_size == command.CPU_BATCH
    on_gpu = command.configurations(("ResNet18",), ("224",), gpu=True)
    assert on_gpu[0].batch_size == study.load().config("full", "ResNet18", {}).batch_size


@pytest.mark.parametrize("size", ["huge", "-3", "1"])
def test_a_wrong_size_is_a_usage_error(size):
    with pytest.raises(UsageError):
        command.configurations(("ResNet18",), (size,), gpu=False)


def test_the_clock_leaves_the_warm_up_out(monkeypatch):
    now = iter([10.0, 13.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    clock = Clock(Work(config(), warm_up=2, steps=3, macs=1), torch.device("cpu"))
    for _ in range(5):
        clock.tick()
    assert clock.measured().seconds == 3.5
    with pytest.raises(AssertionError):
        Clock(Work(config(), 1, 1, 1), torch.device("cpu")).measured()


def test_the_rivals_see_the_same_images_as_we():
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (8, 28, 28), dtype=np.uint8)
    labels = np.arange(8, dtype=np.uint8)
    images = data.Images(pixels, labels, pixels, labels, pixels, labels)
    work = Work(config(batch_size=8, input_size=40), warm_up=0, steps=1, macs=1)
    x, y = next(iter(original_way.loader(work, images, 0)))
    ours = to_input(torch.from_numpy(pixels)[y], 40, 3)
    assert x.shape == (8, 3, 40, 40) and sorted(y.tolist()) == list(range(8))
    assert float((x - ours).abs().max()) <= 2 / 255 + 1e-6  # a grey level


def work_of(what: str) -> int:
    if what == "die":
        os._exit(3)
    if what == "raise":
        raise RuntimeError("no such thing\nand more")
    return os.getpid()


def test_each_task_has_a_process_of_its_own():
    tasks = [functools.partial(work_of, "well")] * 3
    done = dict(in_processes(tasks, 2))
    assert sorted(done) == [0, 1, 2]
    assert len({*done.values(), os.getpid()}) == 4


@pytest.mark.parametrize(("what", "said"), [("die", "status 3"), ("raise", "^no such thing$")])
def test_a_task_that_fails_is_told_in_a_line(what, said):
    with pytest.raises(Failed, match=said):
        list(in_processes([functools.partial(work_of, what)], 1))


def test_accuracies_are_compared_by_their_means_and_spread():
    comparison = Comparison(
        config(), plain={0: 0.90, 1: 0.92, 2: 0.94}, fast={0: 0.93, 1: 0.95, 2: 0.97}
    )
    assert comparison.difference == pytest.approx(0.03)
    assert comparison.noise == pytest.approx(2 * (2 * 0.02**2 / 3) ** 0.5)


def test_a_wrong_network_ends_in_one_line(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmark", "--networks", "ResNet19"])
    assert command.main() == 2
    error = capsys.readouterr().err
    assert error.startswith("error: unknown model 'ResNet19'") and error.count("\n") == 1


@pytest.mark.pipeline
def test_the_benchmark_runs_end_to_end(tmp_path):
    out = tmp_path / "benchmark.json"
    done = subprocess.run(
        [sys.executable, "-m", "experiments.benchmark", "--tiny", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
        env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},  # kind to a machine that is busy
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads(out.read_text())
    assert content["machine"]["torch"] == torch.__version__ and content["machine"]["lightning"]
    assert content["repetitions"] == 1
    limits = content["ceiling_flops_per_second"]
    assert set(limits) == {"convolution", "convolution_forward", "matmul", "matmul_forward"}
    (it,) = content["cells"]
    assert (it["network"], it["input_size"], it["steps"]) == ("LeNet", 28, 2)
    assert set(it["best"]) == {"ours", *RIVALS} and set(it["ratios"]) == set(RIVALS)
    for name, way in it["ways"].items():
        rate = way["images_per_second"]
        assert rate["min"] <= rate["median"] == statistics.median(rate["values"]) <= rate["max"]
        assert rate["min"] > 0 and way["peak_memory_bytes"] > 50e6
        share = 6 * it["macs"] * rate["median"] / limits["convolution"]["median"]
        assert way["share_of_ceiling"] == pytest.approx(share)
        assert name in content["ways"]
    medians = {name: way["images_per_second"]["median"] for name, way in it["ways"].items()}
    for rival in RIVALS:
        expected = medians[it["best"]["ours"]] / medians[it["best"][rival]]
        assert it["ratios"][rival] == pytest.approx(expected)
    assert "LeNet, 28 px" in done.stdout and "Lightning, 0 workers" in done.stdout


def test_the_table_names_what_failed():
    ways = rounds.ways(config())
    it = cell({way.name: [2.0] for way in ways})
    it.tallies[ways[-1].name] = Tally(failed="out of memory")
    assert table.failures([it]) == [f"ResNet18, 36 px, {ways[-1].title}: out of memory"]
    assert table.table_of(it, 1e6).row_count == len(ways)
