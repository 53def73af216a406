"""The record of one run: the contract between training and the report.

One JSON file a run, ``experiments/results/<profile>/<id>.json``, written atomically. ``make
schema`` prints the JSON schema. This module imports no torch.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from experiments.config import Config
from experiments.support.files import write_atomically
from experiments.support.text import one_line

SCHEMA_VERSION: Literal[1] = 1
RESULTS = Path(__file__).parent / "results"

Finite = Annotated[float, Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[int, Field(ge=1, lt=2**63)]
Text = Annotated[str, Field(max_length=2_000)]
Digits = Annotated[str, Field(pattern=r"^[0-9]*$", max_length=10_000)]
#: PyTorch's name of a module or parameter.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,120}$")]
#: A time within bounds that no time zone shifts out of Python's range.
Moment = Annotated[
    AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))
]
#: Maximum length of lists of layers, blocks, steps and epochs.
_MOST = 2_000


class Part(BaseModel):
    """Base of all parts of a record: immutable, without unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Macs(Part):
    """Multiply-accumulates of ONE image, by two counters (they treat biases and BN differently)."""

    torchinfo: Count
    thop: Count


class Size(Part):
    """A network's size. ``macs`` at 224 px (LeNet: 28); ``macs_at_input`` at the run's size."""

    parameters: Count
    macs: Macs
    macs_size: Count
    macs_at_input: Macs


class NetworkInfo(Size):
    """The network as built."""

    layers: Annotated[str, Field(max_length=200_000)]  # torchinfo's table


class Epoch(Part):
    """One pass over the training images. Losses in nats an image, accuracy as a fraction."""

    epoch: Positive
    train_loss: Finite
    validation_loss: Finite
    validation_accuracy: Fraction
    learning_rate: NonNegative  # at the epoch's last step
    seconds: NonNegative  # training only


class Fit(Part):
    """The trained network on some images, in evaluation mode: loss in nats an image, accuracy as a
    fraction."""

    images: Positive
    loss: Finite
    accuracy: Fraction


class Evaluation(Fit):
    """The trained network on one split; ``predictions`` has one digit per image, in order."""

    images: Annotated[int, Field(ge=1, le=10_000)]
    per_class_accuracy: Annotated[list[Fraction], Field(min_length=10, max_length=10)]
    predictions: Digits

    @model_validator(mode="after")
    def _one_prediction_an_image(self) -> Evaluation:
        if len(self.predictions) != self.images:
            raise ValueError(f"predictions: expected {self.images} digits")
        return self


class GradientNorms(Part):
    """L2 norm of the loss gradient of each layer's weight, over the first steps.

    ``norms[s][l]``: step ``steps[s]`` (0 is the first), layer ``layers[l]`` from input to output;
    null where it is not finite.
    """

    steps: Annotated[list[Count], Field(max_length=_MOST)]
    layers: Annotated[list[Name], Field(max_length=_MOST)]
    norms: Annotated[list[list[NonNegative | None]], Field(max_length=_MOST)]

    @model_validator(mode="after")
    def _rectangular(self) -> GradientNorms:
        if len(self.norms) != len(self.steps):
            raise ValueError("norms: expected a row for each step")
        if any(len(row) != len(self.layers) for row in self.norms):
            raise ValueError("norms: expected a column for each layer")
        return self


class BlockGain(Part):
    """How a residual block scales the gradient in the backward pass.

    With g = dL/dy, ``gain`` = |dL/dx| / |g|. Its two parts are ``branch`` through h(x) and
    ``shortcut`` through x (0 without a shortcut); independent parts would give ``gain`` =
    sqrt(branch^2 + shortcut^2). Null where not finite. ``input_below_one`` and
    ``branch_below_one``: shares of the features x and h(x) whose absolute value is below 1.
    """

    block: Name
    projection: bool  # the shortcut is a 1x1 convolution
    gain: NonNegative | None
    branch: NonNegative | None
    shortcut: NonNegative | None
    input_below_one: Fraction | None = None
    branch_below_one: Fraction | None = None


class GainProbe(Part):
    """Gains of all blocks, input to output, after ``step`` steps, on one fixed batch in fp32."""

    step: Count
    epoch: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    blocks: Annotated[list[BlockGain], Field(max_length=_MOST)]


class SEWeights(Part):
    """Channel weights of one SE block over the test images.

    ``mean[c]`` and ``std[c]``: of channel c over the images. ``range_of_means``: max - min of
    ``mean``. ``mean_range``: mean over images of one image's max - min over channels.
    """

    block: Name
    channels: Annotated[int, Field(ge=1, le=100_000)]
    mean: list[Fraction]
    std: list[NonNegative]
    range_of_means: Fraction
    mean_range: Fraction

    @model_validator(mode="after")
    def _one_value_a_channel(self) -> SEWeights:
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean, std: expected {self.channels} values")
        return self


#: ``evaluation``: running statistics of batch normalisation; ``batch``: the batch's own.
SEMode = Literal["evaluation", "batch"]


class SEInitial(Part):
    """Summary of the channel weights of one SE block before training.

    ``dynamic_share``: share of the weights' variance that lies between images, not channels.
    """

    block: Name
    mode: SEMode
    channels: Annotated[int, Field(ge=1, le=100_000)]
    range_of_means: Fraction
    mean_range: Fraction
    dynamic_share: Fraction


class Probes(Part):
    """Measurements inside the network.

    ``versions``: version of each probe (``experiments/versions``); 1 where it is absent.
    """

    versions: dict[Name, Positive] = {}

    gradient_norms: GradientNorms
    # empty without residual blocks
    block_gains: Annotated[list[GainProbe], Field(max_length=_MOST)]
    se_weights: Annotated[list[SEWeights], Field(max_length=_MOST)]  # empty without SE blocks
    #: Before training; empty without SE blocks, and in records older than this probe.
    se_initial: Annotated[list[SEInitial], Field(max_length=2 * _MOST)] = []
    #: The numbers of probes that have no field of their own, by the probe's name.
    more: dict[Name, Annotated[list[Finite], Field(max_length=_MOST)]] = {}


class Environment(Part):
    """The machine, the software versions and the commit of the run."""

    device_type: Literal["cpu", "cuda", "mps"]
    device: Text
    threads: Positive
    platform: Text
    python: Text
    torch: Text
    torchvision: Text
    git_commit: Text | None
    git_dirty: bool | None


class Timing(Part):
    """Times and memory: they differ between two runs of the same configuration."""

    started: Moment
    finished: Moment
    wall_seconds: NonNegative
    train_seconds: NonNegative
    evaluation_seconds: NonNegative | None = None
    probe_seconds: NonNegative | None = None  # of the block gains
    images_per_second: NonNegative  # training throughput
    #: Training FLOP/s (three times those of the forward pass) over the accelerator's measured
    #: FLOP/s on a large bf16 matrix product; null on a CPU.
    utilisation: NonNegative | None = None
    peak_memory_bytes: Count  # of the process, or of the accelerator


class Divergence(Part):
    """The first step (from 0) whose loss was NaN or infinite."""

    epoch: Positive
    step: Count


class Record(Part):
    """One run.

    ``status``: ``finished``; ``diverged`` (NaN or infinite loss: a result; no evaluations);
    ``failed`` (``reason`` says why; no evaluations).
    """

    schema_version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$")]
    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    config: Config
    status: Literal["finished", "diverged", "failed"]
    reason: Text | None = None
    #: Micro-batches per batch; more than 1 where memory was short. The gradient is that of the
    #: whole batch; batch normalisation used the statistics of each micro-batch.
    batch_pieces: Annotated[int, Field(ge=1, le=8192)] = 1
    divergence: Divergence | None = None
    network: NetworkInfo
    history: Annotated[list[Epoch], Field(max_length=_MOST)]
    validation: Evaluation | None
    test: Evaluation | None
    #: Over the first 10,000 training images at most; null in records older than this field.
    train_evaluation: Fit | None = None
    #: SHA-256 of the trained weights, ``<id>.safetensors`` beside the record; null if not kept.
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    probes: Probes
    environment: Environment
    timing: Timing

    @model_validator(mode="after")
    def _status_agrees(self) -> Record:
        evaluated = self.validation is not None and self.test is not None
        if evaluated != (self.status == "finished"):
            raise ValueError("validation and test: expected with status finished, and only then")
        if (self.divergence is not None) != (self.status == "diverged"):
            raise ValueError("divergence: expected with status diverged, and only then")
        if (self.reason is not None) != (self.status == "failed"):
            raise ValueError("reason: expected with status failed, and only then")
        return self


class RecordError(ValueError):
    """A file is not a valid record; the message is one line that names the file and the field."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(one_line(f"{path}: {what}"))


def read(path: Path) -> Record:
    """Read and validate one record.

    Raises:
        RecordError: not JSON, or not a record of this schema; one line naming file and field.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    return parse(path, raw)


def unreadable(path: Path, error: OSError) -> RecordError:
    """The error for a file that cannot be read."""
    return RecordError(path, f"cannot be read: {error.strerror}")


def parse(path: Path, raw: bytes) -> Record:
    """Validate the content of a record's file.

    Raises:
        RecordError: not JSON, or not a record of this schema; one line naming file and field.
    """
    try:
        record = Record.model_validate_json(raw.removeprefix(codecs.BOM_UTF8), strict=True)
    except ValidationError as error:
        problems = {problem["loc"]: problem for problem in error.errors(include_url=False)}
        first = problems.get(("schema_version",)) or next(iter(problems.values()))
        if first["type"] == "json_invalid":
            raise RecordError(path, "not JSON (truncated?); delete it or restore it") from None
        field = ".".join(str(part) for part in first["loc"]) or "record"
        hint = "; train the run again" if field == "schema_version" else ""
        raise RecordError(path, f"{field:.200}: {first['msg']}{hint}") from None
    if record.id != path.stem:
        raise RecordError(path, f"id is {record.id!r}, expected the file's name {path.stem!r}")
    return record


def write(record: Record, folder: Path) -> Path:
    """Write ``<folder>/<id>.json`` atomically; returns its path."""
    path = folder / f"{record.id}.json"
    text = json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomically(path, _compact_number_lists(text) + "\n")
    return path


def significant(value: float, digits: int = 5) -> float | None:
    """Round to significant digits, so that records stay small; None where not finite."""
    if not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def finite(value: float, digits: int = 5) -> float:
    """Round a finite number to significant digits.

    Raises:
        ValueError: the number is not finite.
    """
    rounded = significant(value, digits)
    if rounded is None:
        raise ValueError(f"expected a finite number, not {value}")
    return rounded


def _compact_number_lists(text: str) -> str:
    """Put lists of plain numbers on one line: a record stays readable and diffs stay short."""
    # A raw newline never occurs inside a JSON string, so only real lists match.
    number = r"(?:-?\d[\d.eE+-]*|null)"
    pattern = re.compile(rf"\[\n\s*({number}(?:,\n\s*{number})*)\n\s*\]")
    return pattern.sub(lambda match: "[" + re.sub(r"\s+", " ", match.group(1)) + "]", text)


def schema() -> dict[str, Any]:
    """The published JSON schema of a record."""
    return Record.model_json_schema()
