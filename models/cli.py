"""What the project's commands share: an argument parser, and how they start and end."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from models.errors import UsageError


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        print(f"error: {message}; see --help.", file=sys.stderr)
        raise SystemExit(2)


def run(command: Callable[[], int]) -> NoReturn:
    """Run a command and exit with its status.

    Ctrl-C has its default action: the process ends, without a traceback. Characters that the
    output's encoding lacks are escaped. A ``UsageError`` is printed in one line (status 2). A
    reader that closes the output early, as ``head`` does, ends the command quietly.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where the output is closed
            stream.reconfigure(errors="backslashreplace")
    try:
        status = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    except BrokenPipeError:
        # Python flushes standard output once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    sys.exit(status)
