"""The benchmark: the rivals see the same images, and all of it runs."""

import os
import re
from concurrent.futures.process import BrokenProcessPool

import pytest
import torch

from experiments import study
from experiments.datasets import splits
from experiments.training import benchmark
from experiments.training.transforms import to_input
from tests.checkout import ROOT, run


@pytest.mark.parametrize("size", [28, 36, 48, 65, 224])
def test_the_original_way_sees_the_same_images_to_one_grey_level(size):
    images = splits.load("MNIST")
    config = study.load().config("quick", "ResNet18", {}).model_copy(update={"input_size": size})
    digits = benchmark.Digits(config, 16, images)
    expected = torch.stack([digits[index][0] for index in range(16)])
    assert [digits[index][1] for index in range(16)] == images.train_labels[:16].tolist()
    got = to_input(torch.from_numpy(images.train_images[:16].copy()), size, 3)
    assert got.shape == expected.shape == (16, 3, size, size)
    one_level = 2 / 255
    assert (got - expected).abs().max() <= one_level + 1e-6
    assert (got - expected).abs().mean() < one_level / 20


def test_lenet_sees_one_channel_at_28():
    images = torch.arange(784, dtype=torch.int64).remainder(256).to(torch.uint8).view(1, 28, 28)
    got = to_input(images, 28, 1)
    torch.testing.assert_close(got[0, 0], images[0].float() / 127.5 - 1)


def test_a_measurement_takes_about_its_time():
    slow, fast = (study.load().config("quick", name, {}) for name in ("ResNet101", "LeNet"))
    assert benchmark.MIN_STEPS <= benchmark.steps_of(slow) < benchmark.steps_of(fast)
    assert benchmark.shown([90.0, 100.0, 120.0]) == "100 (30%)"


def ends(what):
    if what == "die":
        os._exit(3)
    return os.getpid()


@pytest.mark.pipeline
def test_each_measurement_has_processes_of_its_own():
    assert benchmark.side_by_side(ends, "well") != os.getpid()
    with pytest.raises(BrokenProcessPool):  # which every command says in one line
        benchmark.side_by_side(ends, "die")


@pytest.mark.pipeline
def test_the_benchmark_runs_end_to_end():
    command = ("-m", "experiments.training.benchmark", "--networks", "LeNet", "--steps", "2")
    env = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}  # kind to a machine that is busy
    done = run(ROOT, *command, "--repetitions", "1", env=env)
    assert done.returncode == 0, done.stderr
    assert re.search(r"LeNet\W+28\W+64\W+[\d,]+ \(0%\)\W+[\d,]+ \(0%\)\W+\d+\.\d", done.stdout)
