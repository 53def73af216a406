"""Numbers that are not finite, in every network, and checkpoints that are not what they seem."""

import hashlib
import itertools
import math
import os
import pickle
import random

import pytest
import torch

from experiments import study
from experiments.training import loop as training
from experiments.training.checkpoint import Checkpoint
from experiments.training.probes.gradient_norms import GradientProbe
from experiments.training.run import execute
from experiments.training.state import Job

pytestmark = [pytest.mark.pipeline, pytest.mark.usefixtures("checkpoints")]

PER_EPOCH = 3
TINY = {"train_images": 24, "batch_size": 8, "validation_images": 20, "test_images": 20}
PLAN = {planned.id: planned.config for planned in study.load().plan("smoke")}
#: Networks of the same parts as others, only more of them.
DEEPER = ("ResNet34", "ResNet101", "SEResNet34", "SEAlexNet", "PlainNet34")
#: Where, what, and when: first, middle and last step of an epoch, and the last of all.
MOMENTS = [*itertools.product(("loss", "gradient", "weight"), (math.nan, math.inf), (0, 1, 2, 5))]


def tiny(name, epochs=2):
    return Job(name, PLAN[name].model_copy(update={**TINY, "epochs": epochs}), "smoke", 1)


def poison(monkeypatch, what, value, step):
    """Let one number of a training be another, at one step."""
    if what == "loss":
        true_loss, calls = training.F.cross_entropy, itertools.count()

        def loss(*arguments, **named):
            return true_loss(*arguments, **named) * (value if next(calls) == step else 1.0)

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


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(number, name, marks=[pytest.mark.soak] * name.startswith(DEEPER), id=name)
        for number, name in enumerate(PLAN)
    ],
)
def test_nan_and_infinity_are_recorded_in_every_network(monkeypatch, mnist, number, name):
    what, value, step = MOMENTS[(number * 7) % len(MOMENTS)]
    poison(monkeypatch, what, value, step)
    record, _ = execute(tiny(name), mnist)
    assert (record.status, record.reason) == ("diverged", None)
    # A bad gradient or weight shows in the loss of the next step, or of the evaluation.
    after = what != "loss" and step % PER_EPOCH != PER_EPOCH - 1
    assert record.divergence.step == step + after
    assert record.divergence.epoch == 1 + step // PER_EPOCH
    assert record.test is record.validation is None


@pytest.fixture
def interrupted(mnist, checkpoints):
    """The checkpoint file of a run that was interrupted after its first epoch."""

    def interrupt(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(tiny("LeNet.s0", 3), mnist, on_epoch=interrupt, checkpoint_seconds=0)
    (path,) = (checkpoints / "smoke").iterdir()
    return path


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def test_a_checkpoint_is_used_whole_or_not_at_all(mnist, interrupted, tmp_path):
    folder, content = interrupted.parent, interrupted.read_bytes()
    state, rng = torch.load(interrupted, weights_only=True), random.Random(1)
    key, parts = state["fingerprint"], state["parts"]
    owned = tmp_path / "owned"

    def usable(run="LeNet.s0", fingerprint=key):
        return Checkpoint(folder, run, fingerprint).exists

    def begins_anew():
        epochs = []
        record, _ = execute(tiny("LeNet.s0", 3), mnist, on_epoch=epochs.append)
        assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
        assert (record.status, record.test) == ("finished", whole.test)

    def put(content):
        """Another checkpoint in the place of one, under a name that holds its true hash."""
        if not isinstance(content, bytes):
            torch.save(content, tmp_path / "content")
            content = (tmp_path / "content").read_bytes()
        next(folder.glob("*.pt")).unlink()
        (folder / f"LeNet.s0.{hashlib.sha256(content).hexdigest()}.pt").write_bytes(content)

    whole, _ = execute(tiny("LeNet.s0", 3), mnist)  # by the checkpoint, which is still there
    assert usable()
    assert not usable(fingerprint="b" * 64)  # of another configuration or code
    assert not usable("LeNet")
    for _ in range(100):
        damaged = bytearray(content)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        for changed in (damaged, content[: rng.randrange(len(content))]):
            interrupted.write_bytes(changed)
            assert not usable()
    begins_anew()
    for hostile in (
        pickle.dumps(Hostile(owned)),
        Hostile(owned),
        {"fingerprint": key, "parts": Hostile(owned)},
        {**state, "history": [Hostile(owned)]},
    ):
        put(hostile)
        assert not usable()
        assert not owned.exists()
    begins_anew()
    unfit_parts = (
        {"net": {name: value[..., :1] for name, value in parts["net"].items()}},
        {"optimizer": {"state": {}, "param_groups": []}},
        {"gradient_norms": {"norms": "x"}},
    )
    for unfit in (
        {"fingerprint": key},
        [key],
        *(state | changed for changed in ({"history": "none"}, {"parts": {}}, {"numbers": {}})),
        *({**state, "parts": parts | changed} for changed in unfit_parts),
    ):
        put(unfit)
        begins_anew()
