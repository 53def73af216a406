"""Formatting of numbers by kind and language, and their elements with sources."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import NamedTuple

from markupsafe import Markup

from analysis.schema import LANGS, Kind, Lang, Source, Value
from report.base.placeholders import escape

__all__ = ["LANGS", "Lang"]

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
#: Keeps a number and its unit on one line.
NBSP = "\N{NO-BREAK SPACE}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

#: The id of one of several runs that differ in their seed only.
_SEED = re.compile(r"(.+)\.s(0|[1-9][0-9]*)")


class Printed(NamedTuple):
    """A formatted number: ``text`` with its sign, and ``unit`` with the space before it."""

    text: str
    unit: str = ""

    def __str__(self) -> str:
        return self.text + self.unit


def grouped(value: float, digits: int = 0) -> str:
    """A number with its thousands grouped by commas and a true minus sign."""
    return f"{value:z,.{digits}f}".replace("-", MINUS)


def significant(value: float, digits: int) -> str:
    """A number to ``digits`` significant digits; very small and large ones as powers of ten."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -4 < power < 5:
        return grouped(value, max(0, digits - 1 - power))
    raised = str(power).translate(_SUPERSCRIPTS)
    if float(mantissa) == 1:
        return f"10{raised}"
    return f"{mantissa.replace('-', MINUS)}{NBSP}{TIMES}{NBSP}10{raised}"


def printed(value: Value, lang: Lang, digits: int | None = None) -> Printed:
    """Format a value; see ``analysis.values.Kind`` for the format of each kind.

    Args:
        value: a number; NaN and infinity represent diverged quantities.
        lang: language of the unit.
        digits: number of digits instead of the kind's default.
    """
    number = value.value
    if math.isnan(number):
        return Printed("NaN")
    if math.isinf(number):
        return Printed(f"{MINUS if number < 0 else ''}∞")
    default, printer = KINDS[value.kind]
    return printer(number, default if digits is None else digits, lang)


def _fixed(scale: float = 1, en: str = "", zh: str = "") -> _Printer:
    """Numbers times ``scale`` with a fixed number of decimals."""

    def printer(number: float, places: int, lang: Lang) -> Printed:
        return Printed(grouped(scale * number, places), en if lang == "en" else zh)

    return printer


def _scaled(least: float) -> _Printer:
    """Counts in millions (from ``least`` on) and billions."""

    def printer(number: float, places: int, lang: Lang) -> Printed:
        if abs(number) >= 1e9:
            return Printed(grouped(number / 1e9, places), f"{NBSP}G")
        if abs(number) >= least:
            return Printed(grouped(number / 1e6, places), f"{NBSP}M")
        return Printed(grouped(number))

    return printer


def _ratio(number: float, places: int, lang: Lang) -> Printed:
    text = significant(number, places) if 0 < number < 0.1 else grouped(number, places)
    return Printed(text, TIMES if lang == "en" else f"{NBSP}倍")


def _loss(number: float, places: int, lang: Lang) -> Printed:
    if abs(number) >= 1e3:  # possible with bad running statistics of batch normalisation
        return Printed(significant(number, 3))
    return Printed(grouped(number, places))


def _significant(number: float, places: int, lang: Lang) -> Printed:
    return Printed(significant(number, places))


def _learning_rate(number: float, places: int, lang: Lang) -> Printed:
    if number and not 1e-4 <= abs(number) < 1e5:
        digits = len(f"{number:e}".split("e")[0].rstrip("0").replace(".", ""))
        return Printed(significant(number, digits))
    return Printed(f"{number:g}")


def _p(number: float, places: int, lang: Lang) -> Printed:
    floor = 10.0**-places
    return Printed(f"<{NBSP}{floor:.{places}f}" if number < floor else f"{number:.{places}f}")


def _rate(number: float, places: int, lang: Lang) -> Printed:
    places = max(places, 1) if abs(number) < 10 else places
    return Printed(grouped(number, places), f"{NBSP}images/s" if lang == "en" else f"{NBSP}张/秒")


def _duration(seconds: float, places: int, lang: Lang) -> Printed:
    units = ("s", "min", "h") if lang == "en" else ("秒", "分", "小时")
    second, minute, hour = (f"{NBSP}{unit}" for unit in units)
    if seconds < 120:
        return Printed(grouped(seconds, 0 if seconds >= 10 else places), second)
    if seconds < 7200:
        minutes, rest = divmod(round(seconds), 60)
        return Printed(f"{minutes}{minute}{NBSP}{rest}", second)
    return Printed(grouped(seconds / 3600, places), hour)


def _bytes(number: float, places: int, lang: Lang) -> Printed:
    for power, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(number) >= power:
            digits = places if power == 2**30 else 0
            return Printed(grouped(number / power, digits), f"{NBSP}{unit}")
    return Printed(grouped(number), f"{NBSP}B")


_Printer = Callable[[float, int, Lang], Printed]
#: Of each kind the digits after the point (or significant digits), and how it is printed.
KINDS: dict[Kind, tuple[int, _Printer]] = {
    "accuracy": (2, _fixed(100, "%", "%")),
    "share": (1, _fixed(100, "%", "%")),
    "difference": (2, _fixed(100, f"{NBSP}pp", f"{NBSP}个百分点")),
    "count": (0, _fixed()),
    "params": (2, _scaled(1e6)),
    "macs": (2, _scaled(1e4)),
    "loss": (3, _loss),
    "p": (3, _p),
    "ratio": (2, _ratio),
    "gain": (3, _significant),
    "weight": (3, _significant),
    "duration": (1, _duration),
    "rate": (0, _rate),
    "bytes": (2, _bytes),
    "integer": (0, _fixed()),
    "learning_rate": (3, _learning_rate),
}


def signed(text: str, value: float, sign: bool | None) -> str:
    """Apply a choice of sign: True shows plus and minus, False neither, None a minus only."""
    if sign is False:
        return text.removeprefix(MINUS)
    if sign and value > 0 and not text.startswith("+"):
        return "+" + text
    return text


@functools.cache
def sources_text(sources: tuple[Source, ...]) -> str:
    """The sources of a value as text, by field: ``ResNet18.s0…s4 test.accuracy; ...``."""
    fields: dict[str, list[str]] = {}
    for source in sources:
        fields.setdefault(source.field, []).append(source.record)
    named = {field: folded(tuple(runs)) for field, runs in fields.items()}
    return "; ".join(f"{name} {field}" for field, names in named.items() for name in names)


@functools.cache
def folded(runs: tuple[str, ...]) -> dict[str, str]:
    """Ids of records with successive seeds joined (``ResNet18.s0…s62``), each with its first id."""
    names: dict[str, str] = {}
    seeds: dict[str, list[int]] = {}
    for run in runs:
        if seed := _SEED.fullmatch(run):
            seeds.setdefault(seed[1], []).append(int(seed[2]))
        else:
            names[run] = run
    for run, found in seeds.items():
        there = set(found)
        starts = sorted(seed for seed in there if seed - 1 not in there)
        ends = sorted(seed for seed in there if seed + 1 not in there)
        for first, last in zip(starts, ends, strict=True):
            more = f"…s{last}" if last > first else ""
            names[f"{run}.s{first}{more}"] = f"{run}.s{first}"
    return names


def data_element(value: Value, text: str, lang: Lang, upper: Value | None = None) -> Markup:
    """The HTML element of a number, with its value and sources.

    It links to the run card of the first source, unless the record is in another folder. With
    ``upper`` it is an interval from ``value`` to ``upper``, which has the same sources.
    """
    sources = escape(sources_text(value.sources))
    css, shown = ("n ci", f"{value.value!r} {upper.value!r}") if upper else ("n", repr(value.value))
    if sources and "/" not in value.sources[0].record:
        card = escape(card_id(value.sources[0].record, lang))
        opening = f'<a class="{css}" href="#{card}" data-value="{shown}" data-source="{sources}">'
        return Markup(f"{opening}{escape(text)}</a>")
    source = f' data-source="{sources}"' if sources else ""
    return Markup(f'<data class="{css}" value="{shown}"{source}>{escape(text)}</data>')


def link(kind: str, target: str, text: str) -> Markup:
    """A link within the report: ``kind`` is its class, ``target`` an id."""
    return Markup(f'<a class="{kind}" href="#{escape(target)}">{escape(text)}</a>')


def network_of(record: str) -> str:
    """The id of a run without its seed: ``ResNet18-mul`` of ``ResNet18-mul.s0``."""
    seed = _SEED.fullmatch(record)
    return seed[1] if seed else record


def card_id(record: str, lang: Lang) -> str:
    """The HTML id of the card that shows a run: that of its network."""
    return f"{lang}-run-{network_of(record)}"
