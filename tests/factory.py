"""Synthetic records: a whole profile of runs as they might have come out, made in a second.

``make(...)`` returns ``Records``, and every property that an analysis looks at can be set::

    make()                                                # the study's plan, plausible outcomes
    make(specs={"PlainNet34": outcome("PlainNet34", accuracy=0.99)}, seeds=3)
    make(without=["SEResNet18.s0"])

Images have a common difficulty, so that networks tend to err on the same ones, as real ones do.
"""

import functools
import hashlib
import json
import math
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

import models
from analysis.records import Records
from analysis.true_labels import labels
from experiments import study
from experiments.record import SCHEMA_VERSION, Record, significant, write

#: Parameters; MACs of one image at 224 px (LeNet: 28), as torchinfo counts them.
SIZES = {
    "LeNet": (61_706, 423_038),
    "AlexNet": (50_854_018, 1_010_565_378),
    "SEAlexNet": (51_291_282, 1_011_002_642),
    "DenseNet": (359_490, 334_029_826),
    "ResNet18": (11_702_530, 1_800_179_842),
    "ResNet34": (21_814_402, 3_642_931_714),
    "ResNet50": (57_390_658, 9_095_100_994),
    "ResNet101": (115_428_930, 20_457_024_066),
    "PlainNet18": (11_529_602, 1_780_736_642),
    "PlainNet34": (21_641_474, 3_623_488_514),
    "PlainNet50": (54_617_922, 8_735_781_186),
    "PlainNet101": (112_656_194, 20_097_704_258),
    "SEResNet18": (12_401_730, 1_800_879_042),
    "SEResNet34": (23_077_538, 3_644_194_850),
    "ResNet18-mul-nobn": (11_694_722, 1_800_172_034),
    "ResNet50-paper": (25_567_042, 4_089_248_386),
    "ResNet101-paper": (44_559_170, 7_801_521_794),
}
_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
_CHANNELS = (64, 128, 256, 512)
_ALEXNET_CHANNELS = {2: 96, 6: 256, 10: 384, 13: 384, 16: 256}
#: Which digit a digit is taken for most often.
_CONFUSED = np.array([6, 7, 7, 5, 9, 3, 0, 2, 3, 4], dtype=np.uint8)
#: Share of the variance of "how hard" that all networks have in common.
_COMMON = 0.6


@dataclass(frozen=True)
class Outcome:
    """What a synthetic run shows."""

    accuracy: float = 0.97  # on the test images; with ``stalled`` that of always answering 1
    validation_accuracy: float | None = None  # ``accuracy`` if None
    train_loss: float = 0.1  # of the last epoch
    validation_loss: float | None = None  # 1.1 times ``train_loss`` plus 0.02 if None
    status: str = "finished"
    stalled: bool = False  # the network answers 1 whatever it sees
    branch: float = 0.6  # gain through h(x) of every block
    shortcut: float = 0.75  # gain through x of every block, 0 without a shortcut
    se_range: float = 0.4  # spread of the channel weights' means in every SE block
    se_before: float = 0.1  # the same before training
    se_std: float = 0.02  # standard deviation of a channel's weight over the images
    below_one: float = 0.7  # share of |x| < 1 of the input and of the branch of every block
    norm_spread: float = 0.1  # over steps, of the logarithm of a gradient norm
    memory: int | None = None  # peak, in bytes; grows with the parameters if None
    rate: float | None = None  # training images a second; falls with the macs if None

    @property
    def last_validation_loss(self) -> float:
        given = self.validation_loss
        return self.train_loss * 1.1 + 0.02 if given is None else given


OUTCOMES = {
    "LeNet": Outcome(0.9412, train_loss=0.21),
    "AlexNet": Outcome(0.9641, train_loss=0.15),
    "SEAlexNet": Outcome(0.9632, train_loss=0.15, se_range=0.25),
    "ResNet18": Outcome(0.9756, train_loss=0.085),
    "ResNet34": Outcome(0.9741, train_loss=0.094),
    "ResNet50": Outcome(0.9584, train_loss=0.16),
    "ResNet101": Outcome(0.9377, train_loss=0.25),
    "ResNet50-paper": Outcome(0.9621, train_loss=0.15),
    "ResNet101-paper": Outcome(0.9422, train_loss=0.22),
    "DenseNet": Outcome(0.9748, train_loss=0.10),
    "SEResNet18": Outcome(0.9767, train_loss=0.085, se_range=0.45),
    "SEResNet34": Outcome(0.9739, train_loss=0.092, se_range=0.30),
    "PlainNet18": Outcome(0.9688, train_loss=0.14, shortcut=0.0, branch=0.55),
    "PlainNet34": Outcome(0.9011, train_loss=0.62, shortcut=0.0, branch=0.5),
    "PlainNet50": Outcome(0.8712, train_loss=0.71, shortcut=0.0, branch=0.5),
    "PlainNet101": Outcome(0.4312, train_loss=1.62, shortcut=0.0, branch=0.45),
    "ResNet18-sub": Outcome(0.9752, train_loss=0.087),
    "ResNet18-mul": Outcome(train_loss=2.28, stalled=True, branch=0.12, shortcut=0.09),
    "ResNet18-mul-nobn": Outcome(train_loss=2.301, stalled=True, branch=0.004, shortcut=0.003),
    "ResNet18-softmax": Outcome(0.9601, train_loss=1.512),
    "ResNet18-strong": Outcome(0.9868, train_loss=0.12),
    "SEResNet18-strong": Outcome(0.9874, train_loss=0.12, se_range=0.45),
    "SEResNet34-strong": Outcome(0.9861, train_loss=0.13, se_range=0.30),
    "DenseNet-strong": Outcome(0.9823, train_loss=0.16),
}


def outcome(variant, **changes):
    """The plausible outcome of a variant with some properties changed."""
    return replace(OUTCOMES.get(variant.removesuffix("-stable"), Outcome()), **changes)


def make(*, profile="quick", seeds=None, specs=(), without=(), extra=(), seed_sd=0.0015):
    """Records of a profile, in memory.

    Args:
        profile: of ``study.toml``.
        seeds: how many seeds every planned run has; the study's own number if None.
        specs: outcomes by variant (``PlainNet34``) or by id (``PlainNet34.s1``, which wins).
        without: ids or variants that are missing.
        extra: own experiments, as configurations of the profile with their outcomes.
        seed_sd: standard deviation of the accuracy between seeds (seed 0 has none of it).
    """
    specs, load = dict(specs), study.load()
    plan = load.plan(profile)
    configs = [run.config for run in plan]
    if seeds is not None:
        first = [config for config in configs if config.seed == 0]
        configs = [c.model_copy(update={"seed": seed}) for c in first for seed in range(seeds)]
    runs = [(load.run_id(profile, config), config, spec) for config, spec in extra]
    for config in configs:
        variant, run_id = config.variant, f"{config.variant}.s{config.seed}"
        if run_id in without or variant in without:
            continue
        spec = specs.get(run_id) or specs.get(variant) or outcome(variant)
        if config.seed and run_id not in specs:
            rng = _rng("seed", run_id)
            shift, checked = rng.normal(0, seed_sd), spec.validation_accuracy
            spec = replace(
                spec,
                accuracy=_share(spec.accuracy + shift),
                validation_accuracy=checked and _share(checked + shift),
                train_loss=spec.train_loss * math.exp(rng.normal(0, 0.02)),
            )
        runs.append((run_id, config, spec))
    by_id = {run_id: record(run_id, profile, config, spec) for run_id, config, spec in runs}
    planned = frozenset(run.id for run in plan)
    dataset = study.split_name(profile)[1]
    return Records(Path(profile), profile, dict(sorted(by_id.items())), (), planned, dataset)


def any_records(seed, absent):
    """Records of whatever outcomes, of which a share of the variants has none."""
    rng = random.Random(seed)
    statuses = ("finished", "finished", "diverged", "failed")
    specs = {
        name: outcome(name, status=rng.choice(statuses), accuracy=rng.random()) for name in OUTCOMES
    }
    without = [name for name in OUTCOMES if rng.random() < absent]
    return make(specs=specs, without=without, seeds=rng.choice([1, 2, 3]))


def _share(number):
    return min(max(number, 0.0), 1.0)


def record(run_id, profile, config, spec):
    """One synthetic record."""
    rng = _rng("run", run_id)
    finished = spec.status == "finished"
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    seconds = 5.0 + 40 * rng.random()
    network = _network(config)
    validation = _evaluation("validation", run_id, config, spec) if finished else None
    fit = {
        "images": min(config.train_images, 10_000),
        "loss": round(spec.train_loss, 5),
        "accuracy": round(min(spec.accuracy + 0.005, 1.0), 5),
    }
    content = {
        "schema_version": SCHEMA_VERSION,
        "id": run_id,
        "profile": profile,
        "fingerprint": hashlib.sha256(run_id.encode()).hexdigest(),
        "config": config,
        "status": spec.status,
        "reason": "out of memory" if spec.status == "failed" else None,
        "divergence": {"epoch": 1, "step": 17} if spec.status == "diverged" else None,
        "network": network,
        "history": _history(config, spec, validation, seconds),
        "validation": validation,
        "test": _evaluation("test", run_id, config, spec) if finished else None,
        "train_evaluation": fit if finished else None,
        "probes": {
            "gradient_norms": _gradient_norms(config, spec, rng),
            "block_gains": _gains(config, spec, rng),
            "se_weights": _se_weights(config, spec, rng) if finished else [],
            "se_initial": _se_initial(config, spec, run_id),
        },
        "environment": {
            "device_type": "cpu",
            "device": "Synthetic CPU",
            "threads": 2,
            "platform": "Linux-6.1-x86_64",
            "python": "3.11.2",
            "torch": "2.14.1",
            "torchvision": "0.29.1",
            "git_commit": "0123456789abcdef0123456789abcdef01234567",
            "git_dirty": False,
        },
        "timing": {
            "started": start,
            "finished": start + timedelta(seconds=round(seconds + 4)),
            "wall_seconds": round(seconds + 4, 2),
            "train_seconds": round(seconds, 2),
            "images_per_second": round(
                spec.rate or config.train_images * config.epochs / seconds, 1
            ),
            "peak_memory_bytes": spec.memory or 1_200_000_000 + 16 * network["parameters"],
        },
    }
    return Record.model_validate(content)


def _evaluation(split, run_id, config, spec):
    """Predictions of one run that are right for the share of images that is stated."""
    images, accuracy = config.test_images, spec.accuracy
    if split == "validation":
        images, checked = config.validation_images, spec.validation_accuracy
        accuracy = accuracy if checked is None else checked
    truth = labels(config.dataset, split)[:images]
    digits = np.ones_like(truth) if spec.stalled else _digits(split, run_id, truth, accuracy)
    right = digits == truth
    by_class = np.bincount(truth, right, minlength=10) / np.bincount(truth, minlength=10)
    return {
        "images": images,
        "loss": round(spec.last_validation_loss, 4),
        "accuracy": float(right.mean()),
        "per_class_accuracy": by_class.tolist(),
        "predictions": (digits + ord("0")).astype(np.uint8).tobytes().decode("ascii"),
    }


def _digits(split, run_id, truth, accuracy):
    """Answers that are wrong for the images that are hardest for this run."""
    images, rng = len(truth), _rng(split, run_id)
    score = math.sqrt(_COMMON) * _difficulty(split)[:images]
    score += math.sqrt(1 - _COMMON) * rng.standard_normal(images)
    wrong = np.zeros(images, dtype=bool)
    wrong[np.argsort(-score)[: round((1 - accuracy) * images)]] = True
    usual = rng.random(images) < 0.8
    other = (truth + rng.integers(1, 10, images)).astype(np.uint8) % 10
    return np.where(wrong, np.where(usual, _CONFUSED[truth], other), truth).astype(np.uint8)


@functools.cache
def _difficulty(split):
    """How hard each image of a split is for every network."""
    return _rng(split).standard_normal(10_000)


def _rng(*parts):
    digest = hashlib.sha256(" ".join(map(str, (0, *parts))).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _network(config):
    variant = config.variant.removesuffix("-stable").removesuffix("-strong")
    parameters, macs = SIZES.get(variant) or SIZES[config.network]
    size = 28 if config.network == "LeNet" else 224
    smaller = round(macs * (config.input_size / size) ** 2)
    title = models.NETWORKS[config.network].title
    return {
        "parameters": parameters,
        "macs": {"torchinfo": macs, "thop": round(macs * 1.002)},
        "macs_size": size,
        "macs_at_input": {"torchinfo": smaller, "thop": round(smaller * 1.002)},
        "layers": f"{title}  [1, 10]  {parameters:,}\n├─Conv2d: 1-1  [1, 64, 18, 18]  9,472\n",
    }


def _history(config, spec, validation, seconds):
    """A loss that falls geometrically to the last epoch's, and an accuracy that rises with it."""
    if validation is None:
        return []
    last, start = spec.train_loss, max(2.31 if spec.train_loss > 1.4 else 1.2, spec.train_loss)
    history = []
    for epoch in range(1, config.epochs + 1):
        left = (config.epochs - epoch) / config.epochs
        loss = last * (start / last) ** left
        rising = round(1 - (1 - validation["accuracy"]) ** (1 - left / 2), 6)
        history.append({
            "epoch": epoch,
            "train_loss": round(loss, 5),
            "validation_loss": round(loss * (spec.last_validation_loss / last), 5),
            "validation_accuracy": rising if left else validation["accuracy"],
            "learning_rate": config.learning_rate * left,
            "seconds": round(seconds / config.epochs, 2),
        })  # fmt: skip
    return history


def _blocks(config):
    """Name, stage and projection of every residual-type block."""
    depth = int("".join(filter(str.isdigit, config.network)) or 0)
    plain = config.network.startswith("PlainNet")
    return [
        (f"stages.{stage}.{index}", stage, not plain and index == 0 and (stage > 0 or depth >= 50))
        for stage, count in enumerate(_BLOCKS.get(depth, ()))
        for index in range(count)
    ]


def _gradient_norms(config, spec, rng):
    layers = ["stem.0", *(f"{name}.residual.0" for name, _, _ in _blocks(config))]
    if len(layers) == 1:
        layers = ["features.0", "features.3", "features.6"]
    gain = math.hypot(spec.branch, spec.shortcut)
    steps = list(range(10))

    def norm(step, depth):
        if spec.status == "diverged" and step > 5:
            return None
        return significant(gain**depth * math.exp(rng.normal(0, spec.norm_spread)))

    norms = [[norm(step, depth) for depth in range(len(layers), 0, -1)] for step in steps]
    return {"steps": steps, "layers": [f"{name}.weight" for name in layers], "norms": norms}


def _gains(config, spec, rng):
    blocks = _blocks(config)
    if not blocks:
        return []
    diverged = spec.status == "diverged"
    run_rng = _rng("shares", int(rng.integers(2**32)))

    def share():
        return round(_share(spec.below_one + float(run_rng.normal(0, 0.01))), 4)

    def measured(epoch):
        branch = spec.branch * math.exp(rng.normal(0, 0.08))
        shortcut = spec.shortcut * math.exp(rng.normal(0, 0.03))
        gain = math.hypot(branch, shortcut) * math.exp(rng.normal(0, 0.02))
        if diverged and epoch > 0:
            return dict.fromkeys(("gain", "branch", "shortcut"))
        return {
            "gain": gain and significant(gain),
            "branch": significant(branch),
            "shortcut": significant(shortcut),
            "input_below_one": share(),
            "branch_below_one": share(),
        }

    return [
        {
            "step": round(epoch * config.train_images / config.batch_size),
            "epoch": epoch,
            "blocks": [
                {"block": name, "projection": projection, **measured(epoch)}
                for name, _, projection in blocks
            ],
        }
        for epoch in (0.0, 1.0 if diverged else float(config.epochs))
    ]


def _se_initial(config, spec, run_id):
    rng = _rng("initial", run_id)
    blocks = []
    for mode in ("evaluation", "batch"):
        for block in _se_weights(config, replace(spec, se_range=spec.se_before), rng):
            del block["mean"], block["std"]
            blocks.append({"mode": mode, "dynamic_share": 0.3, **block})
    return blocks


def _se_weights(config, spec, rng):
    if not config.network.startswith("SE"):
        return []
    named = [(f"{name}.residual.5", _CHANNELS[stage]) for name, stage, _ in _blocks(config)]
    if config.network == "SEAlexNet":
        named = [(f"features.{place}", channels) for place, channels in _ALEXNET_CHANNELS.items()]
    made = []
    for name, channels in named:
        spread = spec.se_range * math.exp(rng.normal(0, 0.15))
        mean = np.clip(0.5 + spread * (rng.beta(2, 2, channels) - 0.5), 0, 1).round(5)
        width = float(mean.max() - mean.min())
        made.append({
            "block": name,
            "channels": channels,
            "mean": mean.tolist(),
            "std": np.abs(rng.normal(spec.se_std, 0.005, channels)).round(5).tolist(),
            "range_of_means": round(width, 5),
            "mean_range": round(min(width * 1.1, 1.0), 5),
        })  # fmt: skip
    return made


def save(records, folder):
    """Write every record into ``folder``, as training would."""
    for item in records:
        write(item, folder)
    return folder


def change(content, **changes):
    """Set fields of a record's JSON, by dotted path with ``__`` for the dots, to values or to what
    functions make of theirs."""
    for path, item in changes.items():
        place = content
        *parts, last = [int(part) if part.isdigit() else part for part in path.split("__")]
        for part in parts:
            place = place[part]
        place[last] = item(place[last]) if callable(item) else item


def replaced(record, **changes):
    """A record with some fields changed."""
    content = record.model_dump(mode="json")
    change(content, **changes)
    return Record.model_validate_json(json.dumps(content), strict=True)


def altered(records, run, **changes):
    """Records, one of which has some fields changed."""
    return replace(records, by_id=records.by_id | {run: replaced(records.by_id[run], **changes)})
