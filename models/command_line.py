"""Moved to ``models.cli``."""

from models.cli import OneLineParser

__all__ = ["OneLineParser"]
