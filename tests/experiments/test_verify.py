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


def edit(folder, **changes):
    path = folder / f"{RUN}.json"
    content = json.loads(path.read_text())
    factory.change(content, **changes)
    path.write_text(json.dumps(content))


def spoil(labels, *, right):
    """Another, wrong answer in place of a right one, or of a wrong one; the accuracies are left."""

    def spoilt(digits):
        place = next(i for i, digit in enumerate(digits) if (int(digit) == labels[i]) == right)
        other = min(set("0123456789") - {digits[place], str(labels[place])})
        return digits[:place] + other + digits[place + 1 :]

    return spoilt


@pytest.mark.pipeline
def test_a_true_record_is_identical_and_nothing_is_written(results, capsys):
    before = {path: path.read_bytes() for path in results.rglob("*")}
    assert command.verify(RUN, results) == 0
    out = capsys.readouterr().out
    assert out == f"{RUN}: identical: every field but times and environment\n"
    assert {path: path.read_bytes() for path in results.rglob("*")} == before


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("test__accuracy", 0.5, "test.accuracy: 0.5"),
        ("validation__accuracy", 0.5, "validation.accuracy: 0.5"),
        ("test__per_class_accuracy__4", 0.77, "test.per_class_accuracy.4: 0.77"),
        ("history__0__validation_loss", 0.1, "history.0.validation_loss: 0.1"),
        ("history__0__validation_accuracy", 0.1, "history.0.validation_accuracy: 0.1"),
        ("history__0__epoch", 2, "history: epochs [2]"),
        ("history", [], "history: 0 epochs"),
        ("config__learning_rate", 0.5, "config.learning_rate: 0.5, but the study says"),
        ("config__seed", 1, "config.seed: 1"),
        ("config__dataset", "FashionMNIST", "config.dataset: FashionMNIST"),
        ("config__test_images", 100, "config.test_images: 100"),
        ("fingerprint", "0" * 64, "fingerprint: stale"),
        ("config__precision", {"bf16": "fp32", "fp32": "bf16"}.get, "fingerprint: stale"),
        ("network__parameters", 1, "network.parameters: 1"),
        ("network__macs__torchinfo", 1, "network.macs"),
        ("network__layers", "", "network.layers"),
        ("test__accuracy", 1.5, "test.accuracy"),  # no record at all
    ],
)
def test_an_edited_record_is_found_out_without_training(
    results, monkeypatch, capsys, field, value, said
):
    monkeypatch.setattr(command, "retrain", lambda *_: pytest.fail("it was trained"))
    edit(results, **{field: value})
    assert command.verify(RUN, results) == 1
    out = capsys.readouterr().out
    assert said in out and f"{RUN}.json" in out
    assert command.verify_all(results) == 1
    assert "0 of 1 records are consistent" in capsys.readouterr().out


@pytest.mark.pipeline
@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_spoilt_prediction_is_found_out_without_training(results, mnist, capsys, split):
    spoilt = spoil(getattr(mnist, f"{split}_labels"), right=True)
    edit(results, **{f"{split}__predictions": spoilt})
    assert command.verify_all(results) == 1
    assert f"{split}.accuracy" in capsys.readouterr().out


@pytest.mark.pipeline
def test_what_only_training_can_tell_is_found_out(results, mnist, capsys):
    edit(
        results,
        history__0__train_loss=1.0,
        history__0__learning_rate=1.0,
        test__loss=0.01,
        test__predictions=spoil(mnist.test_labels, right=False),  # no accuracy tells
        probes__gradient_norms__norms__0__1=9.0,
    )
    assert command.verify(RUN, results) == 1
    out = capsys.readouterr().out
    assert f"{RUN}: differs: on the same kind of device" in out
    for field in (
        "history.0.train_loss: 1.0, here", "history.0.learning_rate: 1.0", "test.loss: 0.01",
        "test.predictions: ", "gradient_norms.norms.0.1: 9.0",
    ):  # fmt: skip
        assert field in out


@pytest.mark.pipeline
def test_on_another_device_the_accuracies_must_agree(results, mnist, capsys):
    elsewhere = {"environment__device": "Another CPU, 64 cores"}
    edit(results, **elsewhere, history__0__train_loss=lambda recorded: recorded + 0.001)
    assert command.verify(RUN, results) == 0
    out = capsys.readouterr().out
    assert f"{RUN}: agrees: validation accuracy" in out
    assert "recorded on Another CPU, 1 threads" in out

    # All right, and consistent: but no run of this configuration comes near.
    right = "".join(map(str, mnist.test_labels[:500]))
    perfect = {"predictions": right, "accuracy": 1.0, "per_class_accuracy": [1.0] * 10}
    edit(results, test=lambda recorded: recorded | perfect)
    assert command.verify(RUN, results) == 1
    assert f"{RUN}: differs: " in capsys.readouterr().out


def test_another_outcome_on_another_device_differs():
    record = factory.make().by_id["ResNet18.s0"]
    other = factory.replaced(record, environment__device="X")
    found = verify.compare(other.model_copy(update={"status": "diverged"}), record, [])
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

    def kind(device="AMD EPYC, 2 cores", **changes):
        return verify.kind(environment.model_copy(update={"device": device, **changes}))

    assert kind() == kind("AMD EPYC, 4 cores")
    others = kind("Intel"), kind("AMD EPYC (AVX2), 2 cores"), kind(torch="2.0"), kind(threads=7)
    assert kind() not in others


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
