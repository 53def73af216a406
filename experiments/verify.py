"""Moved to ``experiments.verification``."""

from experiments.verification.__main__ import main
from experiments.verification.retrain import Comparison, compare, retrain
from models.cli import run

__all__ = ["Comparison", "compare", "retrain"]

if __name__ == "__main__":
    run(main)
