"""The long form of ``test_faults``: more than a hundred kills, and what takes too long for every
change. ``make soak`` runs it, less than half an hour on two cores."""

import os
import random
import shutil

import pytest

from experiments import study
from experiments.datasets import download
from tests.checkout import copy_of_checkout, results, run, timeless
from tests.fault_kit import (
    ANALYSE,
    REPORT,
    TRAIN,
    contents,
    faults,
    leftovers,
    meet,
)

# `make test-fast` deselects pipeline tests, and its -m replaces the one of pyproject.toml.
pytestmark = [pytest.mark.soak, pytest.mark.pipeline, pytest.mark.timeout(3600)]


def struck_again_and_again(held, rounds, seed):
    """Strike in every phase and, between, at random moments; every so often go on to the end."""
    rng = random.Random(seed)
    problems = []
    for number in range(rounds):
        try:
            for fault in faults(rng, held.command):
                held.strike(fault)
            held.strike(at_random=random_moment(rng, held))
            if number % 3 == 2 or number == rounds - 1:
                held.complete()
        except AssertionError as problem:
            problems.append(f"round {number}: {problem}")
            held.reset()
    assert problems == []


def random_moment(rng, held):
    return rng.choice(["main", "group", "child"]), rng.uniform(0.05, 0.95) * held.seconds


def test_kills_while_training(training):
    struck_again_and_again(training, rounds=11, seed=1)


def test_kills_while_analysing(building):
    struck_again_and_again(building[ANALYSE], rounds=8, seed=2)


def test_kills_while_reporting(building):
    struck_again_and_again(building[REPORT], rounds=8, seed=2)


def test_kills_while_the_data_are_cached(training):
    checkout, rng = training.checkout, random.Random(4)
    data = checkout / "data" / "MNIST"
    data.unlink()
    source = download.CACHE / "MNIST"
    serve = {"at": "experiments.datasets.download:download", "do": "serve", "folder": str(source)}
    for _ in range(6):
        training.reset()
        shutil.rmtree(data, ignore_errors=True)
        at, more = rng.choice(
            [("tempfile:mkstemp", {"after": True}), ("os:fsync", {}), ("os:replace", {})]
        )
        match = {} if at == "os:fsync" else {"match": "ubyte"}
        fault = {"at": at, "call": rng.randint(1, 4), "delay": rng.uniform(0, 0.02)}
        _, hit = meet(checkout, TRAIN, serve, fault | more | match)
        assert hit
        assert contents(data).items() <= contents(source).items()
        done, _ = meet(checkout, TRAIN, serve)
        assert done.returncode == 0, done.stderr
        assert contents(data) == contents(source)
        assert leftovers(checkout) == []
        training.check()
    shutil.rmtree(data)
    data.symlink_to(source)


def test_every_network_comes_out_bit_for_bit_on_one_core_and_on_two(tmp_path):
    checkout = copy_of_checkout(tmp_path / "checkout")
    command = ("-m", "experiments", "train", "--profile", "smoke")
    found = []
    one = {"preexec_fn": lambda: os.sched_setaffinity(0, {0})}
    for cores in (one, {}):
        for path in results(checkout).glob("*.json"):
            path.unlink()
        done = run(checkout, *command, **cores)
        assert done.returncode == 0, done.stderr
        found.append({path.name: timeless(path) for path in results(checkout).glob("*.json")})
    assert len(found[0]) == len(study.load().plan("smoke"))
    for name, record in found[0].items():
        assert record == found[1][name]
