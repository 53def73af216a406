"""A run to do, as the engine hands it out."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.config import Config


@dataclass(frozen=True)
class Job:
    """A run to do: its id, configuration and profile, and the CPU threads it may use."""

    id: str
    config: Config
    profile: str
    threads: int
