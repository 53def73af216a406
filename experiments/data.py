"""Moved to ``experiments.datasets.splits``."""

from experiments.datasets.splits import Images, load, split

__all__ = ["Images", "load", "split"]
