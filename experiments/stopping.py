"""Moved to ``experiments.support.signals``; ``heed`` is no longer needed."""

from experiments.support.signals import Stopped, end_with_parent, stoppable

__all__ = ["Stopped", "end_with_parent", "heed", "stoppable"]


def heed() -> None:
    """Nothing."""
