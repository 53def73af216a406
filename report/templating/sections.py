"""The sections of the report: pairs of files ``templates/sections/NNN-name.{zh,en}.md``."""

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from report.base.environment import read
from report.base.errors import Place, ReportError
from report.blocks import settings
from report.blocks.numbers import LANGS, Lang

#: Files with smaller numbers than the first are unnumbered; from the second on they are appendices,
#: which follow the references.
_NUMBERED, APPENDIX = 10, 900
_NAME = re.compile(r"(\d+)-([a-z0-9]+(?:-[a-z0-9]+)*)\.(zh|en)\.md")


@dataclass(frozen=True)
class SectionFile:
    """A section.

    Attributes:
        name: its name (``depth``).
        order: the number in its file names.
        files: its file in each language.
        shown: whether ``report.toml`` chooses it.
        number: the printed number in one language (``5``, ``B``); empty for the abstract.
    """

    name: str
    order: int
    files: Mapping[Lang, Path]
    shown: bool = True
    number: str = ""


def written(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder without hidden ones, which editors and systems create."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _alone(path: Path) -> bool:
    """Whether a file's first line declares that it has no other language: ``{# only zh #}``."""
    first = read(path).partition("\n")[0].strip()
    return first == f"{{# only {path.name.split('.')[1]} #}}"


def in_language(sections: Iterable[SectionFile], lang: Lang) -> list[SectionFile]:
    """The sections that a language shows, with their numbers."""
    chapters, appendices = map(str, count(1)), iter(string.ascii_uppercase)
    return [
        replace(section, number=next(appendices if section.order >= APPENDIX else chapters))
        if section.order >= _NUMBERED
        else section
        for section in sections
        if section.shown and lang in section.files
    ]


def discover(folder: Path) -> list[SectionFile]:
    """The sections in the order of their files' numbers.

    Raises:
        ReportError: a file is misnamed, lacks its other language, or two sections share a name.
    """
    found: dict[tuple[int, str], dict[Lang, Path]] = {}
    for path in written(folder / "sections", "*.md"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise ReportError("expected a name like 080-depth.zh.md", Place(path, 1))
        lang: Lang = "zh" if match[3] == "zh" else "en"
        found.setdefault((int(match[1]), match[2]), {})[lang] = path
    names: list[str] = []
    for (_, name), files in sorted(found.items()):
        path = next(iter(files.values()))
        if len(files) < len(LANGS) and not _alone(path):
            stem, only, _ = path.name.split(".")
            (lang,) = set(LANGS) - files.keys()
            advice = f"if it has none, begin it with {{# only {only} #}}"
            raise ReportError(f"has no counterpart {stem}.{lang}.md; {advice}", Place(path, 1))
        if name in names:
            raise ReportError(f"a section {name!r} is there twice", Place(path, 1))
        names.append(name)
    shown = settings.shown(folder / "report.toml", names)
    return [
        SectionFile(name, order, files, name in shown)
        for (order, name), files in sorted(found.items())
    ]
