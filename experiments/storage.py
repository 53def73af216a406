"""Moved to ``experiments.support.files``."""

from experiments.support.files import exclusive, explain, write_atomically

__all__ = ["exclusive", "explain", "write_atomically"]
