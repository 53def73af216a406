"""Whether a record agrees with itself, with the data's labels, and with the code: no training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from experiments import data, study
from experiments.config import Config
from experiments.record import Evaluation, NetworkInfo, Record
from experiments.versions import fingerprint, in_fp32
from models import UsageError

#: Accuracies of classes and weights of channels are stored to a few digits.
_ROUNDING = 2e-4

Problem = str


def problems(record: Record, folder: str) -> list[Problem]:
    """Every contradiction found, each in a line that begins with the field at fault.

    Args:
        record: to be checked.
        folder: the name of the folder in which it lies.

    Raises:
        DataError: the data set's labels are not to be had.
    """
    checks: list[Callable[[Record], Iterator[Problem]]] = [
        _plan, _fingerprint, _network, _evaluations, _history, _divergence, _weights, _times,
    ]  # fmt: skip
    found = [problem for check in checks for problem in check(record)]
    if record.profile != folder:
        found.insert(0, f"profile: {record.profile}, but its folder is {folder}")
    return found


def _plan(record: Record) -> Iterator[Problem]:
    """Its name, and what the study says of a run of that name."""
    plan = study.load()
    if not plan.has(record.profile):
        return
    planned = {run.id: run.config for run in plan.plan(record.profile)}.get(record.id)
    if planned is not None:
        yield from _differing(record.config, planned)
        return
    try:
        name = plan.run_id(record.profile, record.config)
    except UsageError as error:
        yield f"config: {error}"
        return
    if name != record.id:
        yield f"id: {record.id}, but by its configuration it is {name}"


def _differing(config: Config, planned: Config) -> Iterator[Problem]:
    if config.precision == "fp32":  # as on a device without bf16 arithmetic
        planned = in_fp32(planned)
    ours, theirs = config.model_dump(), planned.model_dump()
    for key, value in ours.items():
        if value != theirs[key]:
            yield f"config.{key}: {value}, but the study says {theirs[key]}"


def _fingerprint(record: Record) -> Iterator[Problem]:
    if record.fingerprint != fingerprint(record.config):
        yield "fingerprint: stale: since it was recorded, its configuration or the code has changed"


def _network(record: Record) -> Iterator[Problem]:
    config = record.config
    options = tuple(sorted(config.options.items()))
    expected = _described(config.network, options, config.input_size, config.dataset)
    ours, theirs = record.network.model_dump(), expected.model_dump()
    for key, value in ours.items():
        if value != theirs[key]:
            shown = "" if key == "layers" else f"{value}, but "
            yield f"network.{key}: {shown}the network as built has {theirs[key]!s:.80}"


@functools.cache
def _described(
    network: str, options: tuple[tuple[str, bool | int | str], ...], size: int, dataset: str
) -> NetworkInfo:
    from experiments.run import describe  # imports torch: seconds

    return describe(
        Config.model_validate(
            {
                "network": network,
                "options": dict(options),
                "dataset": dataset,
                "input_size": size,
                **dict.fromkeys(("train_images", "validation_images", "test_images"), 1),
                "epochs": 1,
                "batch_size": 2,
                "learning_rate": 1e-3,
            }
        )
    )


def _evaluations(record: Record) -> Iterator[Problem]:
    if record.validation is None or record.test is None:
        return
    images = _images(record.config.dataset)
    parts = (
        (
            "validation",
            record.validation,
            record.config.validation_images,
            images.validation_labels,
        ),
        ("test", record.test, record.config.test_images, images.test_labels),
    )
    for name, evaluation, number, labels in parts:
        if evaluation.images != number:
            yield f"{name}.images: {evaluation.images}, but the configuration has {number}"
        else:
            yield from _accuracy(name, evaluation, labels[:number])


_images = functools.cache(data.load)


def _accuracy(name: str, evaluation: Evaluation, labels: NDArray[np.uint8]) -> Iterator[Problem]:
    predicted = np.frombuffer(evaluation.predictions.encode("ascii"), np.uint8) - ord("0")
    right = predicted == labels
    if evaluation.accuracy != int(right.sum()) / len(labels):
        yield (
            f"{name}.accuracy: {evaluation.accuracy}, but the predictions are right on "
            f"{int(right.sum())} of {len(labels)} images"
        )
    for label, stated in enumerate(evaluation.per_class_accuracy):
        of_class = right[labels == label]
        share = float(of_class.mean()) if len(of_class) else 0.0
        if abs(stated - share) > _ROUNDING:
            yield (
                f"{name}.per_class_accuracy.{label}: {stated}, but the predictions are right on "
                f"{int(of_class.sum())} of {len(of_class)} images"
            )


def _history(record: Record) -> Iterator[Problem]:
    history = record.history
    numbers = [entry.epoch for entry in history]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"history: epochs {numbers}, expected to count from 1"
    planned = record.config.epochs
    whole = record.status == "finished" and record.config.stop == "epochs"
    if len(history) > planned or (whole and len(history) != planned):
        yield f"history: {len(history)} epochs, but the configuration has {planned}"
    if history and record.validation is not None:
        last, validation = history[-1], record.validation
        for field in ("accuracy", "loss"):
            here, there = getattr(last, f"validation_{field}"), getattr(validation, field)
            if here != there:
                at = len(history) - 1
                yield f"history.{at}.validation_{field}: {here}, but validation.{field} is {there}"


def _divergence(record: Record) -> Iterator[Problem]:
    found, config = record.divergence, record.config
    if found is None:
        return
    per_epoch = config.train_images // min(config.batch_size, config.train_images)
    if found.epoch != found.step // per_epoch + 1 or found.epoch > config.epochs:
        yield (
            f"divergence: step {found.step} in epoch {found.epoch}, but there are {per_epoch} "
            f"steps an epoch and {config.epochs} epochs"
        )


def _weights(record: Record) -> Iterator[Problem]:
    for index, block in enumerate(record.probes.se_weights):
        spread = max(block.mean) - min(block.mean) if block.mean else 0.0
        if abs(block.range_of_means - spread) > _ROUNDING:
            yield (
                f"probes.se_weights.{index}.range_of_means: {block.range_of_means}, but the means "
                f"range over {spread:.4f}"
            )


def _times(record: Record) -> Iterator[Problem]:
    if record.timing.finished < record.timing.started:
        yield "timing.finished: before timing.started"
