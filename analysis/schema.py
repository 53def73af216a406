"""The results of the analysis as one file, ``results.json``: everything that the report shows.

``python -m analysis`` writes it to ``analysis/out/<profile>/``, beside the figures and tables. The
report reads nothing else of the experiments. Every number is a ``Value`` with its sources.
"""

from __future__ import annotations

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
from experiments.record import Divergence, Environment, Epoch, Macs, Timing
from models import UsageError

__all__ = ["Epoch", "Kind", "Source", "Value", "value"]

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, Lang] = ("zh", "en")
Texts = Mapping[Lang, str]

#: The folder of results by profile, and the name of the file in it.
OUT = Path(__file__).resolve().parent / "out"
RESULTS = "results.json"
#: The bitmap of the images that networks get wrong.
MISREAD = "misread.png"
#: The simulation of the tests, committed.
SIMULATION = OUT.with_name("simulation.json")


def folder_of(profile: str | None, dataset: str | None) -> Path:
    """Where the results of a profile lie; without a name, those of the machine's default.

    Raises:
        UsageError: no such profile or data set.
    """
    name = study.profile_name(profile, dataset)
    study.load().profile(name)
    return OUT / name


# --- Findings -----------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What the records say to a hypothesis."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    #: Of several networks: shown for some, refuted for others.
    MIXED = "mixed"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTABLE = "not_testable"


@dataclass(frozen=True)
class Finding:
    """A hypothesis, tested.

    Attributes:
        id: ``plain-degrades``; templates and the original's claims go by it.
        verdict: the outcome.
        effect: the headline number; None where there is none, as of a diverged run.
        interval: 95 % confidence interval of the effect, not corrected.
        p: Holm-corrected within the family; None for rules and arithmetic.
        test: key of the test (``analysis.findings.base.TESTS``).
        values: named numbers for the prose.
        runs: ids of the records that the verdict depends on.
        missing: variants without runs, for which reason it is not testable.
        seeds: the least number of runs behind a network.
        facts: what the wording needs besides numbers, such as a network's title. ``budget``: the
            outcome over the rungs of the budget ladder (``Climb``), where there is a ladder.
    """

    id: str
    verdict: Verdict
    effect: Value | None
    interval: tuple[Value, Value] | None
    p: Value | None
    test: str
    values: Mapping[str, Value]
    runs: tuple[str, ...]
    missing: tuple[str, ...]
    seeds: int
    facts: Mapping[str, str | bool]


# --- Tables -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        key: its name, unique in the table (the head of the CSV column).
        kind: of its cells: ``text`` as it stands, ``word`` the key of a word in the templates,
            ``claim`` the id of a finding, for the claim's text in the templates, ``verdict``,
            ``value`` numbers whose own kinds differ, else the kind of its numbers.
        title: the printed head.
        original: holds figures of the original write-up.
    """

    key: str
    kind: Kind | Literal["text", "word", "claim", "verdict", "value"]
    title: Texts
    original: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell; empty with the value None.

    Attributes:
        value: a number, several, or a text or key as the column's kind says.
        mark: best or second best of the column.
        note: key of a note in the templates, or empty.
        interval: 95 % confidence interval of the number.
        names: of several numbers, what each belongs to.
        finding: the finding that the number is the effect of; its templates say what that is.
    """

    value: Value | tuple[Value, ...] | str | None = None
    mark: Literal["", "best", "second"] = ""
    note: str = ""
    interval: tuple[Value, Value] | None = None
    names: tuple[str, ...] = ()
    finding: str = ""


@dataclass(frozen=True)
class Table:
    """A table: rows of as many cells as there are columns, and the records it depends on."""

    id: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    runs: tuple[str, ...]


# --- Runs, networks and their setting -----------------------------------------------------------


class Part(BaseModel):
    """A part of the results: no unknown fields, no changes."""

    # a diverged quantity is NaN or infinite
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Figure(Part):
    """A figure: its drawings are ``figures/<id>.<language>.{svg,pdf,png}``.

    ``runs``: ids of the records that it shows. ``code``: the file that draws it. ``alt``: what it
    shows, in words; empty where there was nothing to draw, and so no drawing.
    """

    runs: tuple[str, ...]
    code: str
    alt: dict[Lang, str]


class Score(Part):
    """Loss in nats an image, and accuracy as a fraction, of a trained network on one split."""

    images: int
    loss: float
    accuracy: float


class Size(Part):
    """Parameters of a network, and multiply-accumulates of one image, as the record has them."""

    parameters: int
    macs: Macs
    macs_size: int
    macs_at_input: Macs


class Run(Part):
    """A run as its card shows it: its record without predictions and probes.

    ``title``: of the network. ``command``: repeats the run.
    """

    id: str
    title: str
    status: Literal["finished", "diverged", "failed"]
    reason: str | None
    divergence: Divergence | None
    config: Config
    network: Size
    history: tuple[Epoch, ...]
    validation: Score | None
    test: Score | None
    environment: Environment
    timing: Timing
    fingerprint: str
    command: str


class Layers(Part):
    """torchinfo's table of a network: of its variant ``name``, from the record field ``source``."""

    name: str
    title: str
    source: str
    text: str


class Network(Part):
    """A variant that templates may name, with or without runs.

    ``runs``, ``finished``: how many there are. Accuracies are means over the finished runs.
    ``layers``: index into ``Results.layers``.
    """

    title: str
    runs: int = 0
    finished: int = 0
    accuracy: Value | None = None
    validation_accuracy: Value | None = None
    parameters: Value | None = None
    macs: Value | None = None
    layers: int | None = None


class Setting(Part):
    """The setting of a set of records. Numbers are None without records.

    Each number is the usual value of a field of the configurations: that of the most networks.

    Attributes:
        name: of the profile, which says the data set too: ``quick-fashionmnist``.
        base: without the data set: ``quick``.
        planned: whether the study has this profile.
        seeds: how many different seeds.
        least_seeds: how many runs the network with the fewest has.
        diverged: how many runs diverged.
        original_setting: whether every network ran in the original's setting (data set, input
            size, epochs, images; networks of a fixed input size and runs until stable aside).
    """

    name: str
    base: str
    planned: bool
    seeds: int
    least_seeds: int = 0
    diverged: int = 0
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
    """The original write-up's own: its data set, its setting, and its results by network."""

    dataset: str
    setting: dict[str, Value]
    figures: dict[str, dict[str, Value]]


class Dataset(Part):
    """The data set of the records; ``original``: whether it is that of the original."""

    name: str
    title: str
    classes: dict[Lang, tuple[str, ...]]
    original: bool


class Basis(Part):
    """What the findings on a data set rest on: its title, its runs, and how many seeds they have.

    Runs of one's own, outside the study, do not count.
    """

    title: str
    runs: int
    seeds: int


class CrossDataset(Part):
    """Which findings carry over from one data set to another. False where there is only one.

    ``alike``: ids of the findings with the same verdict on all; ``reversed``: of those supported
    on one and contradicted on another.
    """

    bases: tuple[Basis, ...]
    alike: tuple[str, ...]
    reversed: tuple[str, ...]

    def __bool__(self) -> bool:
        return len(self.bases) > 1

    @property
    def titles(self) -> tuple[str, ...]:
        """The data sets as they are printed."""
        return tuple(basis.title for basis in self.bases)


class Rung(Part):
    """A rung of the budget ladder: the letter, the profile without its data set, the images that
    most of its networks saw in training (images times epochs), and the runs."""

    letter: str
    profile: str
    images: Value
    runs: int


class Step(Part):
    """A finding at one rung where it could be tested; ``networks``: the variants that it rests
    on."""

    verdict: Verdict
    effect: Value | None
    interval: tuple[Value, Value] | None
    networks: tuple[str, ...]


Outcome = Literal["stable", "depends", "open", "unlike", "single"]


class Climb(Part):
    """A finding over the rungs where it could be tested, by letter, from the fewest images.

    Two effects agree if they differ by no more than their intervals allow, or have none.
    ``stable``: the last two rungs decide alike, and their effects agree. ``open``: their effects
    agree, and one of them at least is inconclusive. ``depends``: they decide differently, or their
    effects disagree. ``unlike``: the same, but they rest on different networks, so that the budget
    is not the only difference. ``single``: there is one rung.
    """

    outcome: Outcome
    steps: dict[str, Step]


class Ladder(Part):
    """The study with different numbers of images seen. False where there is one rung only.

    ``rungs``: from the fewest images; empty if the records are of no rung. ``findings``: those
    that could be tested at a rung, by id.
    """

    rungs: tuple[Rung, ...] = ()
    findings: dict[str, Climb] = {}

    def __bool__(self) -> bool:
        return len(self.rungs) > 1

    @property
    def compared(self) -> tuple[str, ...]:
        """Ids of the findings that could be tested at two rungs or more."""
        return tuple(name for name, climb in self.findings.items() if climb.outcome != "single")

    def ended(self, outcome: Outcome) -> tuple[str, ...]:
        """Ids of the findings with this outcome."""
        return tuple(name for name, climb in self.findings.items() if climb.outcome == outcome)


class Mistakes(Part):
    """What a network takes for what: ``images`` are (number of the image, class it was taken for,
    runs that did so). ``title`` is empty for the images that every network gets wrong."""

    title: str
    runs: int
    images: tuple[tuple[int, int, int], ...]


class Misread(Part):
    """The test images that networks get wrong.

    ``truth``: their classes, by number. ``shown``: numbers of the images in ``misread.png``, in
    which they stand in rows of ``row``.
    """

    truth: dict[int, int] = {}
    shown: tuple[int, ...] = ()
    row: int = 1
    networks: tuple[Mistakes, ...] = ()


class Machine(Part):
    """A kind of machine: device, precision, finished runs; ``alone``: networks (titles) that were
    run on no other."""

    device: str
    precision: str
    runs: int
    alone: tuple[str, ...]


class Shift(Part):
    """A network that was run on the two most frequent kinds of machine: runs and mean accuracy on
    the first and the second, error rate on the second over that on the first."""

    network: str
    runs: tuple[Value, ...]
    accuracies: tuple[Value, ...]
    ratio: Value
    interval: tuple[Value, Value] | None


class Machines(Part):
    """The kinds of machine behind the records, the most frequent first. False with one.

    ``ratio``: geometric mean of the networks' ratios, ``p`` that it is 1, not corrected; None where
    no network was run on both of the two most frequent kinds.
    """

    kinds: tuple[Machine, ...] = ()
    shifts: tuple[Shift, ...] = ()
    ratio: Value | None = None
    interval: tuple[Value, Value] | None = None
    p: Value | None = None

    def __bool__(self) -> bool:
        return len(self.kinds) > 1


class Level(Part):
    """How often a test decided what it should not, at its stated level of 5 %.

    Attributes:
        test: id of a finding; ``interval-ratio``, ``interval-accuracy`` (95 % intervals that miss
            the truth); ``family`` (any finding of the confirmatory family, after Holm's
            correction); or the name of a test of single measurements.
        truth: ``equal`` (all networks), ``margins`` (they differ by just the margin),
            ``exceptions`` (a claim about a set fails of one member), ``noisy`` (equal, but the
            runs of one vary three times as much), ``single``.
        runs: of each network.
        worlds: simulated.
        wrong: in how many of them it was decided wrongly.
    """

    test: str
    truth: str
    runs: int
    worlds: int
    wrong: int


class Power(Part):
    """How often a finding came out supported after Holm's correction, in worlds where the original
    is right.

    ``assumed``: the original shows a chart without figures, the effect is assumed. ``holds``: the
    hypothesis is true of the original's own figures, margin included.
    """

    finding: str
    runs: int
    worlds: int
    supported: int
    assumed: bool
    holds: bool


class Simulation(Part):
    """The tests put to simulated networks of known error rates (``analysis.simulation``)."""

    levels: tuple[Level, ...]
    powers: tuple[Power, ...]

    @classmethod
    def load(cls) -> Simulation:
        """The one that is committed."""
        return cls.model_validate_json(SIMULATION.read_bytes())


class Results(Part):
    """All results of one folder of records.

    Attributes:
        made_from: fingerprint of the records and the code that the results were made from.
        files: SHA-256 of every file beside ``results.json``, by name.
        runs: by id.
        networks: by variant: those recorded, planned in any profile, or known to the project.
        planned: ids of all runs that the study has in any profile.
        missing: ids of the profile's runs that have no record.
        extra: ids of a person's own experiments, with other settings than the study's.
        strong: variants of the strong recipe that were run.
        refused: one line for each file that is no record.
        constants: numbers that follow from definitions.
        machines: the kinds of machine that the records come from.
        protocol: what each finding tests, in both languages.
        inks: colours of the figures that a page may replace by its own, by name.
        folder: where the results were read from.
    """

    made_from: str
    files: dict[str, str] = {}
    setting: Setting
    dataset: Dataset
    original: Original
    runs: dict[str, Run]
    networks: dict[str, Network]
    layers: tuple[Layers, ...]
    planned: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    strong: tuple[str, ...]
    refused: tuple[str, ...]
    constants: dict[str, Value]
    findings: dict[str, Finding]
    tables: dict[str, Table]
    figures: dict[str, Figure] = {}
    inks: dict[str, str]
    cross_dataset: CrossDataset
    ladder: Ladder = Ladder()
    misread: Misread = Misread()
    machines: Machines = Machines()
    protocol: Protocol
    folder: Path = Field(default=Path(), exclude=True)

    def misread_images(self) -> bytes:
        """The bitmap of the images that networks get wrong."""
        return (self.folder / MISREAD).read_bytes()

    def svg(self, name: str, lang: Lang) -> str:
        """The drawing of a figure."""
        return (self.folder / "figures" / f"{name}.{lang}.svg").read_text(encoding="utf-8")

    def png(self, name: str, lang: Lang) -> bytes:
        """A figure as a bitmap."""
        return (self.folder / "figures" / f"{name}.{lang}.png").read_bytes()


def load(folder: Path) -> Results:
    """The results in a folder.

    Raises:
        UsageError: there are none, or those of another version of the project.
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
