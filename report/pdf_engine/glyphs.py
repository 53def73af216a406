"""Characters that no installed font has, for which the PDF shows empty boxes."""

import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from report.base.errors import Place, lines


def _covered() -> list[range]:
    """The code points of all installed fonts; empty if ``fc-list`` is missing."""
    command = ["fc-list", "--format=%{charset} "]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    ends = (part.split("-") for part in set(listed.split()))
    return [range(int(each[0], 16), int(each[-1], 16) + 1) for each in ends]


def missing(text: str) -> list[str]:
    """The characters of a text that no font has."""
    ranges = _covered()
    shown = sorted(c for c in set(text) if unicodedata.category(c)[0] not in "CZM")
    return [c for c in shown if ranges and not any(ord(c) in each for each in ranges)]


def warning(characters: list[str], folder: Path) -> str:
    """One line with the characters and the first place of each in the templates."""
    named = []
    for character in characters:
        place = next(_places(folder, character), None)
        where = f" ({place})" if place else ""
        named.append(f"{character!r} U+{ord(character):04X}{where}")
    return f"no installed font has {', '.join(named)}: the PDF shows empty boxes"


def _places(folder: Path, character: str) -> Iterator[Place]:
    for path in sorted(folder.rglob("*.*")):
        if path.suffix in (".md", ".toml", ".bib", ".html") and path.is_file():
            for number, line in enumerate(lines(path), 1):
                if character in line:
                    yield Place(path, number)
