"""The schema of ``results.json``, the results of the analysis that the report shows.

``python -m analysis`` writes it to ``analysis/out/<profile>/``, beside the figures and tables. The
report reads no other data of the experiments. Numbers are ``Value``s with their sources.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.protocol import Protocol
from analysis.values import Kind, Source, Value, value
from experiments import study
from experiments.config import Config
from experiments.record import Divergence, Environment, Epoch, Fit, Size, Timing
from models import UsageError

__all__ = ["Epoch", "Kind", "Source", "Value", "value"]

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, Lang] = ("zh", "en")

#: The folder of results by profile, and the name of the file in it.
OUT = Path(__file__).resolve().parent / "out"
RESULTS = "results.json"
#: File name of the bitmap of images that networks get wrong.
MISREAD = "misread.png"
#: The committed results of ``analysis.simulation``.
SIMULATION = OUT.with_name("simulation.json")


def folder_of(profile: str | None, dataset: str | None) -> Path:
    """The folder with the results of a profile; without a name, of the machine's default profile.

    Raises:
        UsageError: no such profile or data set.
    """
    name = study.profile_name(profile, dataset)
    study.load().profile(name)
    return OUT / name


# --- Findings -----------------------------------------------------------------------------------


class Verdict(StrEnum):
    """The outcome of testing a hypothesis on the records."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    #: A claim about several networks that is shown for some and refuted for others.
    MIXED = "mixed"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTABLE = "not_testable"


@dataclass(frozen=True)
class Finding:
    """The result of testing a hypothesis; ``values`` and ``facts`` are for the prose."""

    id: str  # as in templates and in the original's claims: plain-degrades
    verdict: Verdict
    effect: Value | None  # the main number; None for example for a diverged run
    interval: tuple[Value, Value] | None  # 95 %, of the effect, not corrected
    p: Value | None  # after Holm's correction within the family; None for rules and arithmetic
    test: str  # key of analysis.findings.base.TESTS
    values: Mapping[str, Value]
    runs: tuple[str, ...]  # ids of the records that the verdict depends on
    missing: tuple[str, ...]  # variants without runs that make it not testable
    seeds: int  # the smallest number of runs of any network
    facts: Mapping[str, str | bool]


# --- Tables -------------------------------------------------------------------------------------


ColumnKind = Kind | Literal["text", "word", "claim", "verdict", "value"]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    ``kind`` is that of the cells. ``text``: printed unchanged; ``word``: key of a word in the
    templates; ``claim``: id of a finding, printed as its claim; ``verdict``; ``value``: numbers of
    different kinds; else the kind of the numbers.
    """

    key: str  # unique in the table; head of the CSV column
    kind: ColumnKind
    original: bool = False  # whether it has figures of the original write-up
    head: str = ""  # key of the printed head in templates/tables.toml; empty: ``key``
    name: str = ""  # what the head inserts


@dataclass(frozen=True)
class Cell:
    """A cell: a number, several numbers, or a text or key (by the column's kind), or empty."""

    value: Value | tuple[Value, ...] | str | None = None
    mark: Literal["", "best", "second"] = ""
    note: str = ""  # key of a note in the templates
    interval: tuple[Value, Value] | None = None  # 95 %, of the number
    names: tuple[str, ...] = ()  # of several numbers, what each belongs to
    finding: str = ""  # id of the finding whose effect the number is


@dataclass(frozen=True)
class Table:
    """A table: one cell per row and column, and the ids of the records it depends on."""

    id: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    runs: tuple[str, ...]


# --- Runs, networks and their setting -----------------------------------------------------------


class Part(BaseModel):
    """Base of all parts of the results: immutable, without unknown fields."""

    # A diverged quantity may be NaN or infinite.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Figure(Part):
    """A figure, drawn in ``figures/<id>.<language>.{svg,pdf,png}``."""

    runs: tuple[str, ...]  # ids of the records that it shows
    code: str  # the file that draws it
    alt: dict[Lang, str]  # empty if there was nothing to draw; then there are no files


class Run(Part):
    """A run for its card: its record without predictions and probes."""

    id: str
    title: str  # of the network
    status: Literal["finished", "diverged", "failed"]
    reason: str | None
    divergence: Divergence | None
    config: Config
    network: Size
    history: tuple[Epoch, ...]
    validation: Fit | None
    test: Fit | None
    environment: Environment
    timing: Timing
    fingerprint: str
    command: str  # repeats the run


class Layers(Part):
    """torchinfo's layer table of the variant ``name``, from the record field ``source``."""

    name: str
    title: str
    source: str
    text: str


class Network(Part):
    """A variant that templates may name, with the numbers of its runs and of those that finished,
    over which accuracies are means."""

    title: str
    runs: int = 0
    finished: int = 0
    accuracy: Value | None = None
    validation_accuracy: Value | None = None
    parameters: Value | None = None
    macs: Value | None = None
    layers: int | None = None  # index into Results.layers


class Setting(Part):
    """The setting of a set of records.

    ``original_setting``: whether every run has the original's data set, input size, epochs and
    images. LeNet's input size and the epochs of runs until stable do not count.

    Fields with a ``Value`` are the most frequent value, by network, of a field of the
    configurations; None without records.
    """

    name: str  # of the profile, with the data set: quick-fashionmnist
    base: str  # without the data set: quick
    planned: bool  # whether the study has this profile
    seeds: int  # number of different ones
    least_seeds: int = 0  # runs of the network with the fewest
    diverged: int = 0  # runs that did
    original_setting: bool
    input_size: Value | None = None
    epochs: Value | None = None
    train_images: Value | None = None
    validation_images: Value | None = None
    test_images: Value | None = None
    batch_size: Value | None = None
    learning_rate: Value | None = None
    weight_decay: Value | None = None


class Original(Part):
    """The original write-up's data set, setting, results by network, and ids of its claims."""

    dataset: str
    setting: dict[str, Value]
    figures: dict[str, dict[str, Value]]
    claims: tuple[str, ...]


class Dataset(Part):
    """The data set of the records; ``original``: whether it is the original's data set."""

    name: str
    title: str
    classes: dict[Lang, tuple[str, ...]]
    original: bool


class Basis(Part):
    """Title of a data set, and numbers of runs and seeds behind the findings on it.

    A person's own experiments, outside the study, do not count.
    """

    title: str
    runs: int
    seeds: int


class CrossDataset(Part):
    """Which findings carry over from one data set to another. False with one data set.

    ``alike``: ids of the findings with the same decisive verdict on all data sets; ``reversed``:
    ids of the findings supported on one and contradicted on another.
    """

    bases: tuple[Basis, ...]
    alike: tuple[str, ...]
    reversed: tuple[str, ...]

    def __bool__(self) -> bool:
        return len(self.bases) > 1

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(basis.title for basis in self.bases)


class Rung(Part):
    """A rung of the budget ladder: letter, profile without data set, number of runs, and the
    images seen in training (images times epochs) by most of the runs."""

    letter: str
    profile: str
    images: Value
    runs: int


class Step(Part):
    """A finding at a rung where it is testable; ``networks``: the variants of its runs."""

    verdict: Verdict
    effect: Value | None
    interval: tuple[Value, Value] | None
    values: Mapping[str, Value]
    facts: Mapping[str, str | bool]
    networks: tuple[str, ...]


Outcome = Literal["stable", "extent", "depends", "open", "unlike", "single"]


class Climb(Part):
    """A finding over the rungs where it is testable with at least two runs of each network, by
    letter, from the fewest images.

    The outcome compares the last two rungs. Two effects agree if they differ by no more than their
    intervals allow, or if one has no interval. ``stable``: equal verdicts, effects agree.
    ``open``: effects agree, at least one verdict is inconclusive. ``extent``: equal verdicts, for
    or against, but effects disagree. ``depends``: different verdicts, or effects disagree.
    ``unlike``: like these two, but with different networks, so that the budget is not the only
    difference. ``single``: there is one rung.
    """

    outcome: Outcome
    steps: dict[str, Step]

    @property
    def final(self) -> Step:
        return [*self.steps.values()][-1]


class Ladder(Part):
    """The findings at several training budgets. False with one rung.

    ``rungs``: from the fewest images; empty if the records are of no rung. ``findings``: those
    that are testable at a rung, by id.
    """

    rungs: tuple[Rung, ...] = ()
    findings: dict[str, Climb] = {}

    def __bool__(self) -> bool:
        return len(self.rungs) > 1

    @property
    def compared(self) -> tuple[str, ...]:
        """Ids of the findings that are testable at two rungs or more."""
        return tuple(name for name, climb in self.findings.items() if climb.outcome != "single")

    def ended(self, outcome: Outcome) -> tuple[str, ...]:
        """Ids of the findings with this outcome."""
        return tuple(name for name, climb in self.findings.items() if climb.outcome == outcome)


class Mistakes(Part):
    """Wrong answers of a network."""

    title: str  # empty for the images that every network gets wrong
    runs: int
    images: tuple[tuple[int, int, int], ...]  # index, predicted class, number of runs


class Misread(Part):
    """The test images that networks get wrong."""

    truth: dict[int, int] = {}  # true class by index of the image
    shown: tuple[int, ...] = ()  # indices of the images in misread.png
    row: int = 1  # images per row of it
    networks: tuple[Mistakes, ...] = ()


class Machine(Part):
    """A kind of machine: device, precision, finished runs."""

    device: str
    precision: str
    runs: int


class Shift(Part):
    """A network that ran on the two most frequent kinds of machine."""

    network: str
    runs: tuple[Value, ...]  # on the first and the second
    accuracies: tuple[Value, ...]  # means
    ratio: Value  # error rate on the second over that on the first
    interval: tuple[Value, Value] | None


class Machines(Part):
    """The kinds of machine of the records, the most frequent first. False with one kind."""

    kinds: tuple[Machine, ...] = ()
    shifts: tuple[Shift, ...] = ()
    ratio: Value | None = None  # geometric mean of the shifts' ratios; None without shifts
    interval: tuple[Value, Value] | None = None
    p: Value | None = None  # of the ratio's difference from 1, not corrected

    def __bool__(self) -> bool:
        return len(self.kinds) > 1


class Level(Part):
    """How often a test decided wrongly, at its nominal level of 5 %.

    ``test``: id of a finding; ``interval-ratio``, ``interval-accuracy`` (95 % intervals that miss
    the truth); ``family`` (any finding of the confirmatory family, after Holm's correction); or
    the name of a test of single measurements. ``truth``: key of ``simulation.TRUTHS``, or
    ``single``.
    """

    test: str
    truth: str
    runs: int  # per network
    worlds: int  # simulated studies
    wrong: int  # of these, those with a wrong decision


class Power(Part):
    """How often a finding is supported after Holm's correction, if the original is right."""

    finding: str
    runs: int
    worlds: int
    supported: int


class Simulation(Part):
    """Levels and power of the tests on simulated studies (``analysis.simulation``)."""

    levels: tuple[Level, ...]
    powers: tuple[Power, ...]

    @classmethod
    @functools.cache
    def load(cls) -> Simulation:
        return cls.model_validate_json(SIMULATION.read_bytes())


class Results(Part):
    """All results of one folder of records."""

    made_from: str  # fingerprint of records and code
    files: dict[str, str] = {}  # SHA-256 of every file beside results.json, by name
    setting: Setting
    dataset: Dataset
    original: Original
    runs: dict[str, Run]
    networks: dict[str, Network]  # by variant: recorded, planned in any profile, or registered
    layers: tuple[Layers, ...]
    planned: tuple[str, ...]  # ids of the study's runs in any profile
    missing: tuple[str, ...]  # ids of the profile's runs without a record
    extra: tuple[str, ...]  # ids of a person's own experiments
    strong: tuple[str, ...]  # variants of the strong recipe with a run
    refused: tuple[str, ...]  # one line for each file that is not a valid record
    constants: dict[str, Value]  # numbers that follow from definitions
    findings: dict[str, Finding]
    tables: dict[str, Table]
    figures: dict[str, Figure] = {}
    inks: dict[str, str]  # colours in the figures that a page may replace by its own, by name
    cross_dataset: CrossDataset
    ladder: Ladder = Ladder()
    misread: Misread = Misread()
    machines: Machines = Machines()
    protocol: Protocol
    folder: Path = Field(default=Path(), exclude=True)

    def misread_images(self) -> bytes:
        return (self.folder / MISREAD).read_bytes()

    def svg(self, name: str, lang: Lang) -> str:
        return (self.folder / "figures" / f"{name}.{lang}.svg").read_text(encoding="utf-8")

    def png(self, name: str, lang: Lang) -> bytes:
        return (self.folder / "figures" / f"{name}.{lang}.png").read_bytes()


def load(folder: Path) -> Results:
    """Read the results in a folder.

    Raises:
        UsageError: there are none, or they are of another version of the project.
    """
    path = folder / RESULTS
    try:
        results = Results.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; run `python -m analysis` first.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{path}: {field}: {first['msg']}; run `python -m analysis` again."
        ) from None
    return results.model_copy(update={"folder": folder})
