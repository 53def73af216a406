"""Errors in templates: one line that names file, line and problem."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_stack, walk_tb
from types import FrameType, TracebackType
from typing import TypeVar

from experiments.support.text import one_line
from models import UsageError

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"


@dataclass(frozen=True)
class Place:
    """A line of a template; ``column`` counts from 1, and is 0 if unknown."""

    file: Path
    line: int
    column: int = 0

    def __str__(self) -> str:
        inside = self.file.is_relative_to(ROOT)
        return f"{self.file.relative_to(ROOT) if inside else self.file}:{self.line}"

    def at(self, word: str) -> Place:
        """The same line, at the column of ``word``, preferably where it is a whole word."""
        line, text = self.source_line(), re.escape(word)
        found = re.search(rf"(?<!\w){text}(?!\w)", line) or re.search(text, line)
        return Place(self.file, self.line, found.start() + 1 if word and found else 0)

    def source_line(self) -> str:
        """The text of the line; empty if the file has no such line."""
        return dict(enumerate(lines(self.file), 1)).get(self.line, "")


def lines(file: Path) -> list[str]:
    """The lines of a file; empty if it cannot be opened."""
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    except OSError:
        return []


class ReportError(UsageError):
    """Something in the templates is wrong; ``str()`` is ``file:line: what is wrong``."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        self.message = message
        self.place = place
        super().__init__(one_line(f"{place}: {message}" if place else message))


class Faults(ReportError):
    """Several things in the templates are wrong; ``str()`` has a line for each."""

    message = "several faults"
    place = None

    def __init__(self, each: Sequence[ReportError]) -> None:
        self.each = each
        UsageError.__init__(self, each)

    def __str__(self) -> str:
        return "\nerror: ".join(map(str, self.each))  # as commands print one


def for_each(make: Callable[[_Item], _Made], items: Iterable[_Item]) -> list[_Made]:
    """Call a function for each item; returns the results.

    Raises:
        ReportError: the function failed for one item; ``Faults`` if for several. All were tried.
    """
    made: list[_Made] = []
    faults: dict[str, ReportError] = {}
    for item in items:
        try:
            made.append(make(item))
        except ReportError as fault:
            several = fault.each if isinstance(fault, Faults) else [fault]
            faults |= {str(each): each for each in several}
    if faults:
        raise Faults([*faults.values()]) if len(faults) > 1 else next(iter(faults.values()))
    return made


def near(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is nearest to a wrong one; empty if none is near."""
    names = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return f"; did you mean {names[found[0]]!r}?" if found else ""


def unknown(kind: str, key: str, known: Iterable[str], place: Place | None) -> ReportError:
    """The error for a name that does not exist, with the nearest known one."""
    return ReportError(f"unknown {kind} {key!r}{near(key, known)}", place and place.at(key))


#: The ASCII characters of an expression by what a Chinese keyboard types for them.
_ASCII = dict(zip("“”‘’，。：；（）｛｝＝％｜", "\"\"'',.:;(){}=%|", strict=True))


def syntax_error(message: str, file: Path, line: int) -> ReportError:
    """The error for a template that Jinja cannot parse, at the place of the mistake.

    Args:
        message: Jinja's message.
        file: file of the template.
        line: line where Jinja stopped; for a tag without its end that is the last line.
    """
    place = Place(file, line)
    if unclosed := re.search(r"innermost block that needs to be closed is '(\w+)'", message):
        tag = unclosed[1]
        opened: list[int] = []
        for number, text in enumerate(lines(file), 1):
            for end in re.findall(rf"\{{%[-+]?\s*(end)?{tag}\b", text):
                opened = opened[:-1] if end else [*opened, number]
        place = Place(file, opened[-1] if opened else line).at(tag)
        return ReportError(f"{{% {tag} %}} has no {{% end{tag} %}}", place)
    if "end of comment" in message:
        message += "; {# begins a comment: write {{ '{#' }} for the characters themselves"
    if odd := re.search(r"unexpected char ['\"](.)['\"] at \d+", message):
        hint = f"; inside braces write {_ASCII[odd[1]]}" if odd[1] in _ASCII else ""
        return ReportError(f"unexpected character {odd[1]}{hint}", place.at(odd[1]))
    word = re.search(r"unexpected '([^']+)'|'([^']+)'[^']*$", message)
    return ReportError(message or "syntax error", place.at(word[1] or word[2]) if word else place)


def _template_places(frames: Iterable[tuple[FrameType, int]]) -> Iterator[Place]:
    """The lines of templates among the frames."""
    for frame, line in frames:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None and template.filename:
            yield Place(Path(template.filename), template.get_corresponding_lineno(line))


def calling_place(word: str = "") -> Place | None:
    """The template line that is being rendered, that of the macro call, at the column of a word."""
    place = next(_template_places(walk_stack(sys._getframe(1))), None)
    return place.at(word) if place and word else place


def place_of(traceback: TracebackType | None) -> Place | None:
    """The innermost template line of a traceback."""
    return next(reversed([*_template_places(walk_tb(traceback))]), None)
