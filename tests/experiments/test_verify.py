"""A record is checked against itself, the labels, the code, and against its run trained again."""

import copy
import json
import shutil
from pathlib import Path

import pytest
import torch

from experiments import study
from experiments.record import write
from experiments.training.run import execute
from experiments.training.state import Job
from experiments.verification import __main__ as command
from experiments.verification import retrain as verify
from experiments.verification.checks import problems
from tests import factory
from tests.checkout import called, refused

pytestmark = pytest.mark.usefixtures("checkpoints")
RUN, PROFILE = "LeNet.s0", "smoke"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, mnist):
    """The folder of one true record, trained now."""
    folder = tmp_path_factory.mktemp("results") / PROFILE
    config = study.load().config(PROFILE, "LeNet", {})
    record, _ = execute(Job(RUN, config, PROFILE, 1), mnist)
    write(record, folder)
    torch.set_flush_denormal(False)
    return folder


@pytest.fixture
def results(recorded, tmp_path):
    """A copy of it, in which records may be edited."""
    return Path(shutil.copytree(recorded, tmp_path / PROFILE))


def edit(folder, *changes):
    path = folder / f"{RUN}.json"
    content = json.loads(path.read_text())
    for change in changes:
        change(content)
    path.write_text(json.dumps(content))


def set_to(value, *path):
    def change(record):
        for key in path[:-1]:
            record = record[key]
        record[path[-1]] = value

    return change


elsewhere = set_to("Another CPU, 64 cores", "environment", "device")


def other_precision(record):
    record["config"]["precision"] = {"bf16": "fp32", "fp32": "bf16"}[record["config"]["precision"]]


def spoil(labels, split, *, right):
    """Another, wrong answer in place of a right one, or of a wrong one; the accuracies are left."""

    def change(record):
        digits = list(record[split]["predictions"])
        place = next(i for i, digit in enumerate(digits) if (int(digit) == labels[i]) == right)
        others = (
            digit for digit in "0123456789" if digit not in (digits[place], str(labels[place]))
        )
        digits[place] = next(others)
        record[split]["predictions"] = "".join(digits)

    return change


@pytest.mark.pipeline
def test_a_true_record_is_identical_and_nothing_is_written(results, capsys):
    before = {path: path.read_bytes() for path in results.rglob("*")}
    assert command.verify(RUN, results) == 0
    out = capsys.readouterr().out
    assert out == f"{RUN}: identical: every field but times and environment\n"
    assert {path: path.read_bytes() for path in results.rglob("*")} == before


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("change", "field"),
    [
        (set_to(0.5, "test", "accuracy"), "test.accuracy: 0.5"),
        (set_to(0.5, "validation", "accuracy"), "validation.accuracy: 0.5"),
        (set_to(0.77, "test", "per_class_accuracy", 4), "test.per_class_accuracy.4: 0.77"),
        (set_to(0.1, "history", 0, "validation_loss"), "history.0.validation_loss: 0.1"),
        (set_to(0.1, "history", 0, "validation_accuracy"), "history.0.validation_accuracy: 0.1"),
        (set_to(2, "history", 0, "epoch"), "history: epochs [2]"),
        (set_to([], "history"), "history: 0 epochs"),
        (set_to(0.5, "config", "learning_rate"), "config.learning_rate: 0.5, but the study says"),
        (set_to(1, "config", "seed"), "config.seed: 1"),
        (set_to("FashionMNIST", "config", "dataset"), "config.dataset: FashionMNIST"),
        (set_to(100, "config", "test_images"), "config.test_images: 100"),
        (set_to("0" * 64, "fingerprint"), "fingerprint: stale"),
        (other_precision, "fingerprint: stale"),
        (set_to(1, "network", "parameters"), "network.parameters: 1"),
        (set_to(1, "network", "macs", "torchinfo"), "network.macs"),
        (set_to("", "network", "layers"), "network.layers"),
        (set_to(1.5, "test", "accuracy"), "test.accuracy"),  # no record at all
    ],
)
def test_an_edited_record_is_found_out_without_training(
    results, monkeypatch, capsys, change, field
):
    monkeypatch.setattr(command, "retrain", lambda *_: pytest.fail("it was trained"))
    edit(results, change)
    assert command.verify(RUN, results) == 1
    out = capsys.readouterr().out
    assert field in out
    assert f"{RUN}.json" in out
    assert command.verify_all(results) == 1
    assert "0 of 1 records are consistent" in capsys.readouterr().out


@pytest.mark.pipeline
@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_spoilt_prediction_is_found_out_without_training(results, mnist, capsys, split):
    edit(results, spoil(getattr(mnist, f"{split}_labels"), split, right=True))
    assert command.verify_all(results) == 1
    assert f"{split}.accuracy" in capsys.readouterr().out


@pytest.mark.pipeline
def test_what_only_training_can_tell_is_found_out(results, mnist, capsys):
    edit(
        results,
        set_to(1.0, "history", 0, "train_loss"),
        set_to(1.0, "history", 0, "learning_rate"),
        set_to(0.01, "test", "loss"),
        spoil(mnist.test_labels, "test", right=False),  # no accuracy tells
        set_to(9.0, "probes", "gradient_norms", "norms", 0, 1),
    )
    assert command.verify(RUN, results) == 1
    out = capsys.readouterr().out
    assert f"{RUN}: differs: on the same kind of device" in out
    for field in (
        "history.0.train_loss: 1.0, here",
        "history.0.learning_rate: 1.0",
        "test.loss: 0.01",
        "test.predictions: ",
        "gradient_norms.norms.0.1: 9.0",
    ):
        assert field in out


@pytest.mark.pipeline
def test_on_another_device_the_accuracies_must_agree(results, recorded, mnist, capsys):
    drifted = json.loads((recorded / f"{RUN}.json").read_text())["history"][0]["train_loss"] + 0.001
    edit(results, elsewhere, set_to(drifted, "history", 0, "train_loss"))
    assert command.verify(RUN, results) == 0
    out = capsys.readouterr().out
    assert f"{RUN}: agrees: validation accuracy" in out
    assert "recorded on Another CPU, 1 threads" in out

    # All right, and consistent: but no run of this configuration comes near.
    right = "".join(map(str, mnist.test_labels[:500]))
    perfect = {"predictions": right, "accuracy": 1.0, "per_class_accuracy": [1.0] * 10}
    edit(results, lambda record: record["test"].update(perfect))
    assert command.verify(RUN, results) == 1
    assert f"{RUN}: differs: " in capsys.readouterr().out


def test_another_outcome_on_another_device_differs():
    record = factory.make().by_id["ResNet18.s0"]
    environment = record.environment.model_copy(update={"device": "X"})
    diverged = record.model_copy(update={"status": "diverged", "environment": environment})
    found = verify.compare(diverged, record, [])
    assert found == verify.Comparison("differs", "status: diverged, here finished")


def test_times_and_environment_do_not_count():
    record = factory.make().by_id["LeNet.s0"].model_dump(mode="json")

    def found(one=record, **changes):
        again = copy.deepcopy(record) | changes
        again["history"][0] |= {"seconds": 9.0, **loss}
        return [text.partition(":")[0] for text in verify.differences(one, again)]

    loss = {}
    measured = {"images": 10, "loss": 0.1, "accuracy": 1.0}
    elsewhere = record["environment"] | {"device": "X", "git_commit": None}
    timing = record["timing"] | {"wall_seconds": 99.0}
    assert found(timing=timing, environment=elsewhere, profile="verify") == []
    assert found(record | {"train_evaluation": None}, train_evaluation=measured) == []  # not then
    assert len(found(record | {"train_evaluation": measured}, train_evaluation=None)) == 1
    loss = {"train_loss": 9.0}
    assert found(test=None) == ["history.0.train_loss", "test"]
    assert len(found(history=copy.deepcopy(record["history"][:-1]))) == 1  # by its length


def test_the_tolerance_is_that_of_the_seeds_and_never_less_than_that_of_the_images():
    sampling = 1.96 * (2 * 0.95 * 0.05 / 10_000) ** 0.5
    assert verify.tolerance([0.95], 10_000) == pytest.approx(sampling, rel=1e-2)
    assert verify.tolerance([0.95, 0.95, 0.95], 10_000) == pytest.approx(sampling, rel=1e-2)
    assert verify.tolerance([1.0], 10_000) > 0
    assert verify.tolerance([0.93, 0.95, 0.97], 10_000) == pytest.approx(3 * 0.02)


def test_seeds_are_those_of_the_same_configuration(tmp_path):
    records = factory.make(seeds=3)
    factory.save(records, tmp_path)
    write(factory.replaced(records.by_id["LeNet.s2"], config__epochs=1), tmp_path)
    found = verify.seeds_of(records.by_id["LeNet.s1"], tmp_path)
    assert sorted(run.id for run in found) == ["LeNet.s0", "LeNet.s1"]


def test_the_kind_of_device_does_not_depend_on_how_many_cores_there_are():
    environment = factory.make().by_id["LeNet.s0"].environment
    two, four = (
        environment.model_copy(update={"device": f"AMD EPYC, {count} cores"}) for count in (2, 4)
    )
    assert verify.kind(two) == verify.kind(four)
    other = {"device": "AMD EPYC (AVX2), 2 cores"}
    for change in ({"torch": "2.0"}, {"threads": 7}, {"device": "Intel"}, other):
        assert verify.kind(two.model_copy(update=change)) != verify.kind(two)


def test_the_id_must_be_that_of_the_configuration():
    record = factory.make(profile="smoke").by_id["SEResNet18.s0"]
    own = record.model_copy(update={"id": "SEResNet18-e7.s0"})
    said = "id: SEResNet18-e7.s0, but by its configuration it is SEResNet18.s0"
    assert any(problem.startswith(said) for problem in problems(own))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["NoSuch.s0", "--profile", "smoke"], "no record 'NoSuch.s0' in "),
        (["all", "--profile", "smoke"], "there are no records in "),
        (["all", "--profile", "fast"], "unknown profile 'fast'"),
        (["all", "--dataset", "cifar"], "unknown dataset 'cifar'"),
    ],
)
def test_what_is_asked_for_and_not_there_is_named(tmp_path, arguments, message):
    refused(called("experiments.verification.__main__", *arguments, "--results", tmp_path), message)
