"""The sections of the report: pairs of files ``templates/sections/NNN-name.{zh,en}.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from report.base.errors import Place, ReportError
from report.blocks.numbers import LANGS, Lang

_NAME = re.compile(r"(\d+)-([a-z0-9]+(?:-[a-z0-9]+)*)\.(zh|en)\.md")


@dataclass(frozen=True)
class SectionFile:
    """A section: its name (``depth``), its number in the report, its file in each language."""

    name: str
    number: int
    files: Mapping[Lang, Path]


def written(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder that people wrote: none of an editor's or a system's hidden ones."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def discover(folder: Path) -> list[SectionFile]:
    """The sections of a templates folder, in the order of their files' numbers.

    Raises:
        ReportError: a file is misnamed, lacks its other language, or two share a name.
    """
    found: dict[tuple[int, str], dict[Lang, Path]] = {}
    for path in written(folder / "sections", "*.md"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise ReportError("expected a name like 080-depth.zh.md", Place(path, 1))
        lang: Lang = "zh" if match[3] == "zh" else "en"
        found.setdefault((int(match[1]), match[2]), {})[lang] = path
    names: set[str] = set()
    for (_, name), files in found.items():
        path = next(iter(files.values()))
        for lang in LANGS:
            if lang not in files:
                other = (
                    path.name.replace(".en.", ".zh.")
                    if lang == "zh"
                    else path.name.replace(".zh.", ".en.")
                )
                raise ReportError(f"has no counterpart {other}", Place(path, 1))
        if name in names:
            raise ReportError(f"a section {name!r} is there twice", Place(path, 1))
        names.add(name)
    ordered = sorted(found.items())
    return [
        SectionFile(name, number, files) for number, ((_, name), files) in enumerate(ordered, 1)
    ]
