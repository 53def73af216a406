"""What a template can do: read numbers and choose words, nothing to the machine or the records.

A template may be a colleague's. It reaches no file outside its folder, calls nothing but the macros
and the methods of plain values, changes nothing, prints no HTML of its own, and ends: it has so
much time to compute, and so much memory.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, Undefined
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace

from report.errors import Place, ReportError, calling_place
from report.slots import stray

#: Seconds that one template may compute, and bytes that it may take.
SECONDS = 30.0
_BYTES = 2**30
#: Bits of the largest whole number that a power may give.
_BITS = 4096
#: Values whose methods are harmless; of anything else a template reads the data.
_PLAIN = (
    *(str, int, float, tuple, list, Mapping, range, Enum, type(None)),
    *(Undefined, Context, LoopContext, Macro, TemplateReference, BlockReference),
    *(Cycler, Joiner, Namespace),
)
#: Filters that make HTML from any text, or call it such.
_MARKUP_FILTERS = ("safe", "e", "escape", "forceescape", "urlize", "xmlattr", "tojson")


def inside(folder: Path, name: str) -> Path:
    """A file of a templates folder.

    Raises:
        ReportError: it leads elsewhere, as a symbolic link can.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ReportError("leads out of the templates' folder", Place(path, 1))
    return path


def read(folder: Path, name: str) -> str:
    """The text of a file of a templates folder.

    Raises:
        ReportError: it cannot be read, is not UTF-8, or lies elsewhere.
    """
    path = inside(folder, name)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ReportError("is not UTF-8", Place(path, 1)) from None
    except OSError as error:
        raise ReportError(f"cannot be read: {error.strerror}", Place(path, 1)) from None


class _Loader(FileSystemLoader):
    """Files of one folder, which hold no placeholders."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        folder = Path(self.searchpath[0])
        try:
            source, name, fresh = super().get_source(environment, template)
        except TemplateNotFound:
            raise TemplateNotFound(template, f"no template {template!r} in the folder") from None
        except UnicodeDecodeError:
            raise ReportError(f"{template!r} is not UTF-8", calling_place()) from None
        path = inside(folder, template)
        if stray(source):
            raise ReportError("holds a private-use character (U+E000 or U+E001)", Place(path, 1))
        return source, name, fresh


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of templates, and of the page around them.

    Args:
        folder: of the templates.
        options: further ones, as Jinja's.
    """

    intercepted_binops = frozenset(("**",))

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(
            loader=_Loader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            **options,
        )
        for name in _MARKUP_FILTERS:
            del self.filters[name]
        del self.globals["lipsum"]

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Methods of plain values only: a record's own, or a path's, could do anything."""
        safe = super().is_safe_attribute(obj, attr, value)
        return safe and (isinstance(obj, _PLAIN) or not callable(value))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """A power; one that would take the machine's memory is refused before it is computed."""
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > _BITS:
            raise SecurityError(f"{left} ** {right} is too large")
        return super().call_binop(context, operator, left, right)


@contextlib.contextmanager
def bounded(place: Place | None = None) -> Iterator[None]:
    """Ends what runs too long, or takes too much.

    Nested uses count as one. Only a main thread can be ended; others run unbounded.

    Args:
        place: what is at fault where no template's line is.

    Raises:
        ReportError: it ran too long.
        MemoryError: it took too much.
    """
    if threading.current_thread() is not threading.main_thread() or _running():
        yield
        return

    def end(signum: int, frame: FrameType | None) -> NoReturn:
        raise ReportError(f"did not end within {SECONDS:g} s", calling_place() or place)

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        with limited_memory():
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _running() -> bool:
    return signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0


@contextlib.contextmanager
def limited_memory() -> Iterator[None]:
    """Where the kernel says how much the process has: no more than so much beyond it."""
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + _BYTES
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
