"""Too little memory: batches are split and the record says so, or the run is marked failed; the
other runs go on."""

import pytest

from experiments.record import read
from tests.checkout import copy_of_checkout, edit, results, trim
from tests.fault_kit import TRAIN, meet

pytestmark = [pytest.mark.pipeline, pytest.mark.soak]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Two runs; the images are large and so are the batches."""
    made = copy_of_checkout(tmp_path_factory.mktemp("memory") / "checkout")
    trim(made, ("LeNet.s0", "SEResNet18.s0"))
    study = made / "experiments" / "study.toml"
    edit(study, "input_size = 36\n", "input_size = 64\n")
    edit(study, "batch_size = 64\n", "batch_size = 384\n")
    edit(study, "train_images = 192\n", "train_images = 384\n")
    return made


def limited(checkout, megabytes):
    """Train with so much more memory for SE-ResNet-18 than its process has at the start."""
    fault = {"at": "experiments.training.run:_attempt", "match": "SEResNet18", "do": "limit"}
    for path in results(checkout).glob("*.json"):
        path.unlink()
    done, hit = meet(checkout, TRAIN, fault | {"bytes": megabytes << 20})
    assert hit
    assert "Traceback" not in done.stderr, done.stderr
    assert read(results(checkout) / "LeNet.s0.json").status == "finished"
    return done, read(results(checkout) / "SEResNet18.s0.json")


def test_too_little_memory_for_the_batch_splits_it(checkout):
    done, record = limited(checkout, 600)
    assert done.returncode == 0, done.stderr
    assert "SEResNet18.s0: out of memory; begins anew with 2 micro-batches" in done.stderr
    assert record.status == "finished"
    assert record.batch_pieces > 1
    assert len(record.history) == 1


def test_too_little_memory_at_all_fails_the_run_alone(checkout):
    study = checkout / "experiments" / "study.toml"
    edit(study, "batch_size = 384\n", "batch_size = 8\n")
    edit(study, "train_images = 384\n", "train_images = 16\n")
    done, record = limited(checkout, 60)
    assert done.returncode == 1
    assert "SEResNet18.s0 failed: out of memory, even with each batch in 4 parts" in done.stderr
    assert record.status == "failed"
    assert record.reason.startswith("out of memory, even with each batch in 4 parts")
