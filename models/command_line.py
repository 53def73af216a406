"""What the project's commands share: an argument parser whose errors are one line."""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any, NoReturn

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


class _Version(argparse.Action):
    """Prints name and version, which ``pyproject.toml`` has, and leaves."""

    def __call__(self, *_: object) -> NoReturn:
        project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
        print(project["name"], project["version"])
        raise SystemExit(0)


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line and ends with status 2.

    It has ``--version``, and the paths that it reads may begin with ``~``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
        self.register("type", Path, lambda text: Path(text).expanduser())

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave."""
        print(f"error: {message}; see --help.", file=sys.stderr)
        raise SystemExit(2)
