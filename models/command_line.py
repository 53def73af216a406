"""What the project's commands share: an argument parser whose errors are one line."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line and ends with status 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave."""
        print(f"error: {message}; see --help.", file=sys.stderr)
        raise SystemExit(2)
