"""The benchmark: the rivals see the same images, and all of it runs."""

import os
import re

import numpy as np
import pytest
import torch

from experiments import study
from experiments.datasets.splits import Images
from experiments.training import benchmark
from experiments.training.transforms import to_input
from tests.checkout import ROOT, run


def test_the_original_way_sees_the_same_images():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 28, 28), dtype=np.uint8)
    labels = np.arange(8, dtype=np.uint8)
    config = study.load().config("quick", "ResNet18", {}, input_size=40)
    digits = benchmark.Digits(config, 8, Images(pixels, labels, pixels, labels, pixels, labels))
    x = torch.stack([digits[index][0] for index in range(8)])
    assert [digits[index][1] for index in range(8)] == list(range(8))
    ours = to_input(torch.from_numpy(pixels), 40, 3)
    assert x.shape == (8, 3, 40, 40)
    assert float((x - ours).abs().max()) <= 2 / 255 + 1e-6  # a grey level


def test_a_measurement_takes_about_its_time():
    slow, fast = (study.load().config("quick", name, {}) for name in ("ResNet101", "LeNet"))
    assert benchmark.MIN_STEPS <= benchmark.steps_of(slow) < benchmark.steps_of(fast)
    assert str(benchmark.Throughput([90.0, 100.0, 120.0])) == "100 (30%)"


def ends(what):
    if what == "die":
        os._exit(3)
    return os.getpid()


def test_each_measurement_has_processes_of_its_own():
    assert benchmark.side_by_side(ends, "well") != os.getpid()
    with pytest.raises(RuntimeError, match="a process ended"):
        benchmark.side_by_side(ends, "die")


@pytest.mark.pipeline
def test_the_benchmark_runs_end_to_end():
    command = ("-m", "experiments.training.benchmark", "--networks", "LeNet", "--steps", "2")
    env = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}  # kind to a machine that is busy
    done = run(ROOT, *command, "--repetitions", "1", env=env)
    assert done.returncode == 0, done.stderr
    assert re.search(r"LeNet\W+28\W+64\W+[\d,]+ \(0%\)\W+[\d,]+ \(0%\)\W+\d+\.\d", done.stdout)
