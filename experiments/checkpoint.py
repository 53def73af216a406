"""Where an interrupted run goes on: weights, optimiser and history after an epoch.

Written whole or not at all, checked by hash before it is read, read with ``weights_only``, thrown
away where it does not fit, and gone once the record is in. Imports torch only where it is used.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from experiments.record import (
    Divergence,
    Epoch,
    Evaluation,
    GainProbe,
    GradientNorms,
    SEInitial,
)
from experiments.support.files import explain

FOLDER = Path(__file__).parent / "checkpoints"
#: A run that ends sooner is quicker done again than saved.
EVERY_SECONDS = 20.0


@dataclass
class Trained:
    """What training has so far besides weights and optimiser state; a checkpoint keeps it too."""

    history: list[Epoch] = field(default_factory=list)
    gains: list[GainProbe] = field(default_factory=list)
    se_initial: list[SEInitial] = field(default_factory=list)
    gradient_norms: GradientNorms | None = None
    validation: Evaluation | None = None  # of the last epoch
    divergence: Divergence | None = None
    pieces: int = 1  # parts that each batch goes through the network in
    seconds: float = 0.0
    evaluation_seconds: float = 0.0
    probe_seconds: float = 0.0
    steps: int = 0
    images: int = 0


class Unfit(Exception):
    """A checkpoint holds something else than this run's state: the run must begin anew."""


class Stateful(Protocol):
    """What a checkpoint keeps: network, optimiser, probes."""

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on."""

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Go on from there."""


#: Fields of ``Trained`` that are plain numbers.
_NUMBERS = ("pieces", "seconds", "evaluation_seconds", "probe_seconds", "steps", "images")


def files(folder: Path, run: str) -> list[Path]:
    """Checkpoints of a run, newest first. The name of each holds its SHA-256."""
    found = folder.glob(f"{run}.{'[0-9a-f]' * 64}.pt")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


class Checkpoint:
    """The checkpoint of one run, tied to its fingerprint.

    Args:
        folder: where it lies.
        run: the run's id.
        fingerprint: the run's; a checkpoint of another is not used.
        every: seconds between two saves, at least.
        on_note: told, in a line, why nothing can be saved.
    """

    def __init__(
        self,
        folder: Path,
        run: str,
        fingerprint: str,
        every: float = EVERY_SECONDS,
        on_note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._run = run
        self._fingerprint = fingerprint
        self._every = every
        self._on_note = on_note
        self._saved_at = time.monotonic()
        self._state = self._load()

    @property
    def exists(self) -> bool:
        """Whether there is one for this very run."""
        return self._state is not None

    def _load(self) -> dict[str, Any] | None:
        import torch

        for path in files(self._folder, self._run):
            try:
                if _digest(path) != path.name.split(".")[-2]:
                    continue  # damaged
                state = torch.load(path, weights_only=True, map_location="cpu")
                if state["fingerprint"] == self._fingerprint:
                    return dict(state)
            except Exception:
                # Unreadable, or something else than what is saved here: a checkpoint only saves
                # time, so whatever is wrong with it, the run begins anew.
                continue
        return None

    def save(self, parts: Mapping[str, Stateful], trained: Trained) -> None:
        """Save after an epoch, unless the last save is recent or the disk is full: the training
        goes on all the same."""
        import torch

        if time.monotonic() - self._saved_at < self._every:
            return
        state = {
            "fingerprint": self._fingerprint,
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "history": [entry.model_dump() for entry in trained.history],
            "gains": [probe.model_dump() for probe in trained.gains],
            "se_initial": [probe.model_dump() for probe in trained.se_initial],
            "numbers": {name: getattr(trained, name) for name in _NUMBERS},
        }
        self._saved_at = time.monotonic()
        partial = self._folder / f".{self._run}.partial"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            before = files(self._folder, self._run)
            with partial.open("wb") as file:  # gigabytes: written once, never held in memory
                torch.save(state, file)
            saved = self._folder / f"{self._run}.{_digest(partial)}.pt"
            partial.replace(saved)
            for path in before:
                if path != saved:
                    path.unlink(missing_ok=True)
        except (OSError, RuntimeError) as error:  # torch reports a failed write as either
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            cause: BaseException | None = error
            while not isinstance(cause, OSError) and cause is not None:
                cause = cause.__context__
            cause = cause or OSError(errno.EIO, str(error))
            reason = explain(OSError(cause.errno, cause.strerror, str(self._folder)))
            self._on_note(f"goes on, but an interruption would lose it: {reason}")

    def restore(self, parts: Mapping[str, Stateful], trained: Trained) -> int:
        """Put everything back; returns how many epochs are done.

        Raises:
            Unfit: it does not fit; what was put back until then is to be thrown away.
        """
        state = self._state
        self._state = None  # it is used once
        assert state is not None
        try:
            for name, part in parts.items():
                part.load_state_dict(state["parts"][name])
            trained.history = [Epoch.model_validate(entry) for entry in state["history"]]
            trained.gains = [GainProbe.model_validate(probe) for probe in state["gains"]]
            trained.se_initial = [SEInitial.model_validate(p) for p in state["se_initial"]]
            for name in _NUMBERS:
                setattr(trained, name, type(getattr(trained, name))(state["numbers"][name]))
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise Unfit from error
        return len(trained.history)

    def remove(self) -> None:
        """Remove it: the record is in."""
        with contextlib.suppress(OSError):  # it is in the way of nothing
            for path in [*files(self._folder, self._run), self._folder / f".{self._run}.partial"]:
                path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
