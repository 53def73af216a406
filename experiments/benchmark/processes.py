"""Each measurement in a fresh process, so that peak memory, threads and allocator are its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from experiments.stopping import end_with_parent, heed, start_server

Result = TypeVar("Result")
CONTEXT = multiprocessing.get_context("forkserver")
# The server imports all contestants' libraries once; a fork of it starts in milliseconds. What
# they weigh is part of every contestant's peak memory, the same for all.
CONTEXT.set_forkserver_preload(
    [f"experiments.benchmark.{way}" for way in ("ours", "original_way", "lightning_way")]
)


class Failed(Exception):
    """A measurement did not end well; one line says why."""


def in_processes(
    tasks: Sequence[Callable[[], Result]], at_once: int
) -> Iterator[tuple[int, Result]]:
    """Do every task in a process of its own, ``at_once`` of them side by side.

    Yields:
        Index of a task and what it returned, as they end.

    Raises:
        Failed: a task raised or died; the others have been ended.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[Connection, tuple[BaseProcess, int]] = {}
    try:
        while waiting or running:
            heed()
            while waiting and len(running) < at_once:
                index, task = waiting.pop()
                here, there = CONTEXT.Pipe(duplex=False)
                process: BaseProcess = CONTEXT.Process(target=_child, args=(task, there))
                start_server()
                process.start()
                there.close()
                running[here] = (process, index)
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                process, index = running[connection]
                result = _receive(connection, process)
                del running[connection]
                process.join()
                yield index, result
    finally:
        for process, _ in running.values():
            process.kill()
            process.join()


def _receive(connection: Connection, process: BaseProcess) -> Any:
    try:
        failure, result = connection.recv()
    except (EOFError, OSError):
        process.join()
        why = " (out of memory?)" if process.exitcode == -9 else ""
        raise Failed(f"its process ended with status {process.exitcode}{why}") from None
    if failure is not None:
        raise Failed(failure)
    return result


def _child(task: Callable[[], Any], parent: Connection) -> None:
    end_with_parent()
    try:
        result = task()
    except (RuntimeError, MemoryError) as error:
        lines = str(error).strip().splitlines()
        parent.send((lines[0][:300] if lines else type(error).__name__, None))
    else:
        parent.send((None, result))
