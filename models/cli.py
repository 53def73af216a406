"""Shared by all commands: the argument parser, one-line errors and the entry point."""

import argparse
import errno
import io
import os
import signal
import sys
import tomllib
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NoReturn

from models.errors import UsageError

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


_ADVICE = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space of your quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "make it writable",
    errno.EACCES: "allow yourself to read and write there",
    errno.EPERM: "allow yourself to read and write there",
    errno.ENOTDIR: "remove the file that stands where a folder should",
    errno.EISDIR: "remove the folder that stands where a file should",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
}


def explain(error: OSError) -> str:
    """One line: the file or folder, the error, and how to correct it."""
    reason = error.strerror or str(error) or type(error).__name__
    advice = _ADVICE.get(error.errno or 0, "correct that")
    return f"{error.filename or 'a file'}: {reason}; {advice} and give the same command again."


class _Version(argparse.Action):
    """Print the name and version of ``pyproject.toml`` and exit."""

    def __call__(self, *_: object) -> NoReturn:
        project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
        print(project["name"], project["version"])
        raise SystemExit(0)


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line and exits with status 2.

    It adds ``--version`` and expands ``~`` in paths.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
        self.register("type", Path, lambda text: Path(text).expanduser())

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        print(f"error: {message}; see --help.", file=sys.stderr)
        raise SystemExit(2)


def run(command: Callable[[], int]) -> NoReturn:
    """Run a command and exit with its status.

    Ctrl-C has its default action: the process ends, without a traceback. Characters that the
    output's encoding lacks are escaped. An error that a person can correct is printed in one line
    (status 2). A reader that closes the output early, as ``head`` does, ends the command quietly.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where the output is closed
            stream.reconfigure(errors="backslashreplace")
    try:
        status = command()
        if sys.stdout is not None:
            sys.stdout.flush()
        sys.exit(status)
    except BrokenPipeError:
        # Python flushes standard output again when it exits: give it an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except UsageError as error:
        message = str(error)
    except OSError as error:
        message = explain(error)
    except (MemoryError, BrokenProcessPool):
        message = "a process was killed (out of memory?); give the same command again."
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)
