"""Checkpoints: weights, optimiser state and history after an epoch, to resume an interrupted run.

Written atomically, verified by their hash, read with ``weights_only``, ignored if they do not match
the run, and removed once the record is written. Imports torch only where it is used.
"""

import contextlib
import errno
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from experiments.record import Epoch
from experiments.training.state import Trained
from models.cli import explain

FOLDER = Path(__file__).parent.parent / "checkpoints"
#: Minimum seconds between two saves.
EVERY_SECONDS = 20.0


class CheckpointMismatch(Exception):
    """A checkpoint does not hold this run's state; the run must start from the beginning."""


class Stateful(Protocol):
    """An object whose state a checkpoint keeps: network, optimiser, probe."""

    def state_dict(self) -> dict[str, Any]:
        """The state."""

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Restore the state."""


#: Fields of ``Trained`` that are plain numbers.
_NUMBERS = ("micro_batches", "seconds", "evaluation_seconds", "probe_seconds", "steps", "images")


def files(folder: Path, run: str) -> list[Path]:
    """Checkpoints of a run, newest first. The name of each holds its SHA-256."""
    found = folder.glob(f"{run}.{'[0-9a-f]' * 64}.pt")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


class Checkpoint:
    """The checkpoint of one run, tied to its fingerprint.

    Args:
        folder: the folder of the file.
        run: the run's id.
        fingerprint: the run's fingerprint; a checkpoint with another is ignored.
        every: minimum seconds between two saves.
        on_note: called with one line if saving fails.
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
        """Whether there is a checkpoint of this run."""
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
                # A checkpoint only saves time: with a bad one the run starts from the beginning.
                continue
        return None

    def save(self, parts: Mapping[str, Stateful], trained: Trained) -> None:
        """Save after an epoch, unless the last save is recent. A failure is noted and ignored."""
        import torch

        if time.monotonic() - self._saved_at < self._every:
            return
        state = {
            "fingerprint": self._fingerprint,
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "history": [entry.model_dump() for entry in trained.history],
            "numbers": {name: getattr(trained, name) for name in _NUMBERS},
        }
        self._saved_at = time.monotonic()
        partial = self._folder / f".{self._run}.partial"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            before = files(self._folder, self._run)
            with partial.open("wb") as file:  # possibly gigabytes: not held in memory
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
        """Restore everything; returns the number of finished epochs.

        Raises:
            CheckpointMismatch: ``parts`` and ``trained`` are then in an undefined state.
        """
        state = self._state
        self._state = None  # frees the memory
        assert state is not None
        try:
            for name, part in parts.items():
                part.load_state_dict(state["parts"][name])
            trained.history = [Epoch.model_validate(entry) for entry in state["history"]]
            for name in _NUMBERS:
                setattr(trained, name, type(getattr(trained, name))(state["numbers"][name]))
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise CheckpointMismatch from error
        return len(trained.history)

    def remove(self) -> None:
        """Remove the checkpoint, after the record is written."""
        with contextlib.suppress(OSError):
            for path in [*files(self._folder, self._run), self._folder / f".{self._run}.partial"]:
                path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
