"""The records of one folder, read once, by id and by variant."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import multimode

import models
from analysis.true_labels import Split, as_digits, labels
from analysis.values import mean, value
from experiments import study
from experiments.datasets import DATASETS, USUAL, DatasetName
from experiments.record import Evaluation, Record, RecordError, parse, unreadable

__all__ = ["STRONG", "Records", "contents", "mean", "rungs", "siblings", "value"]

#: Larger files are refused; a record of a network with hundreds of layers has half a megabyte.
MAX_BYTES = 32 * 2**20


def contents(folder: Path) -> dict[Path, bytes | OSError]:
    """Every ``*.json`` of a folder: its bytes, or the error of reading it."""
    found: dict[Path, bytes | OSError] = {}
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            if path.exists() and not path.is_file():  # reading a pipe would block
                raise OSError(errno.EINVAL, "not a regular file", str(path))
            if path.stat().st_size > MAX_BYTES:
                raise OSError(errno.EFBIG, f"larger than {MAX_BYTES >> 20} MiB", str(path))
            found[path] = path.read_bytes()
        except OSError as error:
            found[path] = error
    return found


#: Variants of the strong recipe, each with its network; all options are the defaults.
STRONG = {f"{network}-strong": network for network in models.NETWORKS}


@dataclass(frozen=True)
class Records:
    """The records of one profile."""

    folder: Path
    profile: str  # the most frequent of the records
    by_id: dict[str, Record]
    refused: tuple[str, ...] = ()  # one line for each file that is not a valid record
    planned: frozenset[str] = frozenset()  # ids of the profile's runs in the study
    dataset: DatasetName = USUAL  # the most frequent one; records of others are refused
    #: Records of the other rungs of the budget ladder on this data set, by letter.
    rungs: Mapping[str, Records] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Records:
        """Read every ``*.json`` of a folder and of the other rungs' folders; bad files are listed
        in ``refused``."""
        beside = {letter: cls.parse(path, contents(path)) for letter, path in rungs(folder).items()}
        return cls.parse(folder, contents(folder)).beside(beside)

    @classmethod
    def parse(cls, folder: Path, files: Mapping[Path, bytes | OSError]) -> Records:
        """The records of files that have been read; see ``contents``."""
        by_id: dict[str, Record] = {}
        refused: list[str] = []
        for path, raw in files.items():
            try:
                if isinstance(raw, OSError):
                    raise unreadable(path, raw)
                record = parse(path, raw)
                _check_accuracies(path, record)
            except RecordError as error:
                refused.append(str(error))
            else:
                by_id[record.id] = record
        profiles = multimode(record.profile for record in by_id.values())
        profile = min(profiles, default=folder.name)  # of several the alphabetically first
        datasets = multimode(record.config.dataset for record in by_id.values())
        dataset = min(datasets, default=study.split_name(profile)[1])
        for record in [r for r in by_id.values() if r.config.dataset != dataset]:
            refused.append(
                f"{folder / record.id}.json: config.dataset is {record.config.dataset}, but most "
                f"records of the folder are of {dataset}"
            )
            del by_id[record.id]
        plan = study.load().plan(profile) if study.load().has(profile) else []
        planned = frozenset(run.id for run in plan)
        return cls(folder, profile, by_id, tuple(refused), planned, dataset)

    def beside(self, rungs: Mapping[str, Records]) -> Records:
        """The same records with those of other rungs that have records on this data set."""
        kept = {k: other for k, other in rungs.items() if other and other.dataset == self.dataset}
        return replace(self, rungs=kept)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def of(self, variant: str) -> list[Record]:
        """The records of one variant (``ResNet18``, ``ResNet18-mul-nobn``) by seed.

        Only runs of the study's own recipe: ``SEResNet34-lr0.01.s0`` is another experiment.
        """
        return self._by_variant.get(variant, [])

    @cached_property
    def _by_variant(self) -> dict[str, list[Record]]:
        """The runs of the study's own recipe by variant, in the order of their seeds."""
        found: dict[str, list[Record]] = {}
        for record in sorted(self, key=lambda record: record.config.seed):
            variant = record.config.variant
            if record.id == f"{variant}.s{record.config.seed}":
                found.setdefault(variant, []).append(record)
        return found

    def only(self, ids: Iterable[str], prefix: str = "") -> Records:
        """The records with these ids only.

        The id of a record of another rung begins with its folder: ``rung-b/ResNet18.s0``.
        """
        named = set(ids)
        by_id = {name: record for name, record in self.by_id.items() if prefix + name in named}
        rungs = {k: rung.only(named, f"{rung.folder.name}/") for k, rung in self.rungs.items()}
        return replace(self, by_id=by_id, refused=()).beside(rungs)

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of the study's runs that have no record here."""
        return tuple(sorted(self.planned - self.by_id.keys()))

    @property
    def extra(self) -> list[Record]:
        """A person's own experiments: runs with other settings or options than the study's.

        Further seeds of the study's runs, and the networks of ``STRONG``, are not among them.
        """
        study_runs = {run_id.rpartition(".s")[0] for run_id in self.planned} | STRONG.keys()
        return [record for record in self if record.id.rpartition(".s")[0] not in study_runs]

    @property
    def strong(self) -> tuple[str, ...]:
        """The variants of ``STRONG`` with a run in the profile's setting that did not fail."""
        return tuple(
            variant for variant in STRONG if any(run.status != "failed" for run in self.of(variant))
        )


def _check_accuracies(path: Path, record: Record) -> None:
    """Check the accuracies of a record against its predictions.

    Raises:
        RecordError: they differ; the message names the field and both accuracies.
    """
    splits: dict[Split, Evaluation | None] = {"test": record.test, "validation": record.validation}
    for split, found in splits.items():
        if found is not None:
            true = labels(record.config.dataset, split)[: found.images]
            right = float((as_digits(found.predictions) == true).mean())
            if abs(right - found.accuracy) > 0.5 / found.images:
                raise RecordError(
                    path,
                    f"{split}.accuracy is {found.accuracy:g}, but the predictions are right on "
                    f"{right:g} of the images; train the run again or restore the file",
                )


def siblings(folder: Path) -> dict[DatasetName, Path]:
    """The neighbouring folders with records of the same profile on other data sets."""
    base, own = study.split_name(folder.name)
    beside = {
        name: folder.with_name(study.profile_name(base, name)) for name in DATASETS if name != own
    }
    return {name: path for name, path in beside.items() if path.is_dir()}


def rungs(folder: Path) -> dict[str, Path]:
    """The neighbouring folders of the other rungs of the budget ladder, by letter."""
    base, dataset = study.split_name(folder.name)
    ladder = study.load().ladder
    if base not in ladder.values():
        return {}
    beside = {
        letter: folder.with_name(study.profile_name(profile, dataset))
        for letter, profile in ladder.items()
        if profile != base
    }
    return {letter: path for letter, path in beside.items() if path.is_dir()}
