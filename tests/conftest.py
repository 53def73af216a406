"""What all tests share: a folder for the report that is built once, and one for checkpoints."""

import os
import shutil
import tempfile

import pytest


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the processes that it starts inherit this
        os.environ["TESTS_SHARED"] = tempfile.mkdtemp(prefix="tests-")
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of a `make test`: the tests start make
            os.environ.pop(name, None)  # as a user does


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["TESTS_SHARED"])


@pytest.fixture(scope="session")
def mnist():
    from experiments.datasets import splits

    return splits.load("MNIST")


@pytest.fixture
def checkpoints(monkeypatch, tmp_path):
    import torch

    monkeypatch.setattr("experiments.training.run.CHECKPOINTS", tmp_path / "checkpoints")
    yield tmp_path / "checkpoints"
    torch.set_flush_denormal(False)  # as a process of its own would end with its run
