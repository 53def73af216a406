"""Numbers that are not finite, in every network, and checkpoints that are not what they seem."""

import hashlib
import math
import os
import pickle
import random

import pytest
import torch

from experiments import study
from experiments.datasets import splits as data
from experiments.training import loop as training
from experiments.training.checkpoint import Checkpoint
from experiments.training.probes.gradient_norms import GradientProbe
from experiments.training.run import execute
from experiments.training.state import Job

pytestmark = [pytest.mark.pipeline, pytest.mark.usefixtures("checkpoints")]

PER_EPOCH = 3
TINY = {"train_images": 24, "batch_size": 8, "validation_images": 20, "test_images": 20}
PLAN = {planned.id: planned.config for planned in study.load().plan("smoke")}
#: Where: in the loss itself, in a gradient, in a weight; when: first, middle and last step of an
#: epoch, and the last of all.
MOMENTS = [
    (what, value, step)
    for what in ("loss", "gradient", "weight")
    for value in (math.nan, math.inf)
    for step in (0, 1, 2, 5)
]


@pytest.fixture(scope="module")
def images():
    return data.load("MNIST")


def tiny(name, epochs=2):
    return Job(name, PLAN[name].model_copy(update={**TINY, "epochs": epochs}), "smoke", 1)


def poison(monkeypatch, what, value, step):
    """Let one number of a training be another, at one step."""
    if what == "loss":
        calls = []
        true_loss = training.F.cross_entropy

        def loss(*arguments, **named):
            calls.append(None)
            factor = value if len(calls) == step + 1 else 1.0
            return true_loss(*arguments, **named) * factor

        # The probe and the evaluation have their own name for it.
        monkeypatch.setattr(training, "F", type("F", (), {"cross_entropy": staticmethod(loss)}))
        return
    observe = GradientProbe.after_backward

    def observed(self, at):
        observe(self, at)
        if at == step:
            weight = self._weights[len(self._weights) // 2]
            with torch.no_grad():
                (weight.grad if what == "gradient" else weight)[(0,) * weight.dim()] = value

    monkeypatch.setattr(GradientProbe, "after_backward", observed)


@pytest.mark.parametrize("number", range(len(PLAN)))
def test_nan_and_infinity_are_recorded_in_every_network(monkeypatch, images, number):
    what, value, step = MOMENTS[(number * 7) % len(MOMENTS)]
    poison(monkeypatch, what, value, step)
    record, _ = execute(tiny(list(PLAN)[number]), images)
    assert record.status == "diverged", (record.status, record.reason)
    # A bad gradient or weight shows in the loss of the next step, or of the evaluation.
    after = what != "loss" and step % PER_EPOCH != PER_EPOCH - 1
    assert record.divergence.step == step + after
    assert record.divergence.epoch == 1 + step // PER_EPOCH
    assert record.test is None
    assert record.validation is None


# --- Checkpoints ----------------------------------------------------------------------------------


class Killed(BaseException):
    pass


@pytest.fixture
def interrupted(images, checkpoints):
    """The checkpoint file of a run that was interrupted after its first epoch."""

    def kill(epoch):
        if epoch.epoch == 2:
            raise Killed

    with pytest.raises(Killed):
        execute(tiny("LeNet.s0", 3), images, on_epoch=kill, checkpoint_seconds=0)
    (path,) = (checkpoints / "smoke").iterdir()
    return path


def is_not_used(images, whole):
    """The run begins anew, and ends as if there had been no checkpoint."""
    epochs = []
    record, _ = execute(tiny("LeNet.s0", 3), images, on_epoch=epochs.append)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    assert record.status == "finished"
    assert record.test == whole.test


def replace(path, content):
    """Put another checkpoint in the place of one, under a name that holds its true hash."""
    path.unlink()
    path.with_name(f"LeNet.s0.{hashlib.sha256(content).hexdigest()}.pt").write_bytes(content)


def saved(folder, content):
    torch.save(content, folder / "content")
    return (folder / "content").read_bytes()


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def test_a_checkpoint_is_used_whole_or_not_at_all(images, checkpoints, interrupted, tmp_path):
    whole, _ = execute(tiny("LeNet.s0", 3), images)
    assert [e.epoch for e in whole.history] == [1, 2, 3]
    # The last call used it, for its run is the same; it is still there.
    content = interrupted.read_bytes()
    state = torch.load(interrupted, weights_only=True)
    rng = random.Random(1)
    key = state["fingerprint"]

    def usable():
        return Checkpoint(interrupted.parent, "LeNet.s0", key).exists

    assert usable()
    for _ in range(100):
        damaged = bytearray(content)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        interrupted.write_bytes(damaged)
        assert not usable()
        interrupted.write_bytes(content[: rng.randrange(len(content))])
        assert not usable()
    is_not_used(images, whole)
    owned = tmp_path / "owned"
    hostile = [
        pickle.dumps(Hostile(owned)),
        saved(tmp_path, Hostile(owned)),
        saved(tmp_path, {"fingerprint": key, "parts": Hostile(owned)}),
        saved(tmp_path, {**state, "history": [Hostile(owned)]}),
    ]
    for content in hostile:
        replace(next(interrupted.parent.glob("*.pt")), content)
        assert not usable()
        assert not owned.exists()
    is_not_used(images, whole)
    other = {name: value[..., :1] for name, value in state["parts"]["net"].items()}
    unfit = [
        {"fingerprint": key},
        [key],
        {**state, "history": "none"},
        {**state, "numbers": {}},
        {**state, "parts": {}},
        {**state, "parts": {**state["parts"], "net": other}},
        {**state, "parts": {**state["parts"], "optimizer": {"state": {}, "param_groups": []}}},
        {**state, "parts": {**state["parts"], "gradient_norms": {"norms": "x"}}},
    ]
    for content in unfit:
        replace(next(interrupted.parent.glob("*.pt")), saved(tmp_path, content))
        is_not_used(images, whole)
