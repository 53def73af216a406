"""Moved to ``experiments.support.text``."""

from experiments.support.text import one_line, printable

__all__ = ["one_line", "printable"]
