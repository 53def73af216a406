"""Whether a record agrees with the study, the code, the data's labels and itself: no training."""

import functools
from collections.abc import Iterator

import numpy as np

from experiments import study
from experiments.datasets import splits
from experiments.record import Evaluation, Record
from experiments.verification.retrain import differences
from experiments.versions import fingerprint, in_fp32
from models.errors import UsageError

#: Tolerance for accuracies, which are stored to six digits.
_ROUNDING = 1e-5

_images = functools.cache(splits.load)


def problems(record: Record) -> list[str]:
    """Every contradiction found: one line each, which begins with the field at fault.

    Raises:
        DataError: the data set's labels are not available.
    """
    checks = (_study, _fingerprint, _network, _evaluations, _history)
    return [problem for check in checks for problem in check(record)]


def _study(record: Record) -> Iterator[str]:
    """Compare the configuration with the study's run of this id; of a run that is not planned,
    compare the id with the configuration."""
    known = study.load()
    if not known.has(record.profile):
        return
    planned = {run.id: run.config for run in known.plan(record.profile)}.get(record.id)
    if planned is None:
        try:
            name = known.run_id(record.profile, record.config)
        except UsageError as error:
            yield f"config: {error}"
            return
        if name != record.id:
            yield f"id: {record.id}, but by its configuration it is {name}"
        return
    if record.config.precision == "fp32":  # as on a device without bf16 arithmetic
        planned = in_fp32(planned)
    said, expected = record.config.model_dump(), planned.model_dump()
    yield from differences(said, expected, "config", "but the study says")


def _fingerprint(record: Record) -> Iterator[str]:
    if record.fingerprint != fingerprint(record.config):
        yield "fingerprint: stale: the configuration or the code is not that of the record"


def _network(record: Record) -> Iterator[str]:
    from experiments.training.run import describe  # imports torch: seconds

    said, expected = record.network.model_dump(), describe(record.config).model_dump()
    if said.pop("layers") != expected.pop("layers"):
        yield "network.layers: not those of the network as built"
    yield from differences(said, expected, "network", "but the network as built has")


def _evaluations(record: Record) -> Iterator[str]:
    images = _images(record.config.dataset)
    for name in ("validation", "test"):
        evaluation, labels = getattr(record, name), getattr(images, f"{name}_labels")
        number = getattr(record.config, f"{name}_images")
        if evaluation is not None and evaluation.images != min(number, len(labels)):
            yield f"{name}.images: {evaluation.images}, but the configuration has {number}"
        elif evaluation is not None:
            yield from _accuracies(name, evaluation, labels[:number])


def _accuracies(name: str, evaluation: Evaluation, labels: np.ndarray) -> Iterator[str]:
    predicted = np.frombuffer(evaluation.predictions.encode("ascii"), np.uint8) - ord("0")
    right = predicted == labels
    stated = {f"{name}.accuracy": (evaluation.accuracy, right)}
    for label, value in enumerate(evaluation.per_class_accuracy):
        stated[f"{name}.per_class_accuracy.{label}"] = (value, right[labels == label])
    for field, (value, those) in stated.items():
        if abs(value - (those.mean() if len(those) else 0.0)) > _ROUNDING:
            yield (
                f"{field}: {value}, but the predictions are right on {int(those.sum())} of "
                f"{len(those)} images"
            )


def _history(record: Record) -> Iterator[str]:
    epochs = [entry.epoch for entry in record.history]
    if epochs != list(range(1, len(epochs) + 1)):
        yield f"history: epochs {epochs}, expected to count from 1"
    whole = record.status == "finished" and record.config.stop == "epochs"
    if whole and len(epochs) != record.config.epochs:
        yield f"history: {len(epochs)} epochs, but the configuration has {record.config.epochs}"
    if record.history and record.validation is not None:
        for field in ("accuracy", "loss"):
            last = getattr(record.history[-1], f"validation_{field}")
            if last != getattr(record.validation, field):
                at = f"history.{len(epochs) - 1}.validation_{field}"
                yield f"{at}: {last}, but validation.{field} differs"
