"""A run to do, as the engine hands it out."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.config import Config


@dataclass(frozen=True)
class Job:
    """A run to do: its id, configuration and profile, the CPU threads it may use, and the parts
    that each batch goes through the network in."""

    id: str
    config: Config
    profile: str
    threads: int
    pieces: int = 1
