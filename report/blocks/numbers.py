"""Formatting of numbers by kind and language, and their elements with sources."""

import functools
import math
import re
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
    """Format a value by its kind (see ``analysis.values.Kind``), or with another number of digits.

    NaN and infinity represent diverged quantities.
    """
    number, kind = value.value, value.kind
    places = KINDS[kind] if digits is None else digits
    if not math.isfinite(number):
        return Printed("NaN" if math.isnan(number) else f"{MINUS if number < 0 else ''}∞")
    if kind in ("params", "macs"):
        return _scaled(number, places, least=1e6 if kind == "params" else 1e4)
    if kind == "duration":
        return _duration(number, places, lang)
    if kind == "bytes":
        return _bytes(number, places)
    en, zh = _UNITS.get(kind, ("", ""))
    return Printed(_text(number, kind, places), en if lang == "en" else zh)


def _text(number: float, kind: Kind, places: int) -> str:
    """A number of a kind whose unit does not depend on its size."""
    if kind == "p":
        floor = 10.0**-places
        return f"<{NBSP}{floor:.{places}f}" if number < floor else f"{number:.{places}f}"
    if kind == "learning_rate":
        if number == 0 or 1e-4 <= abs(number) < 1e5:
            return f"{number:g}"
        return significant(number, len(f"{number:e}".split("e")[0].rstrip("0").replace(".", "")))
    if kind == "loss" and abs(number) >= 1e3:  # with bad statistics of batch normalisation
        return significant(number, 3)
    if kind in ("gain", "weight") or (kind == "ratio" and 0 < number < 0.1):
        return significant(number, places)
    if kind == "rate" and abs(number) < 10:
        places = max(places, 1)
    percent = kind in ("accuracy", "share", "difference")
    return grouped(100 * number if percent else number, places)


def _scaled(number: float, places: int, least: float) -> Printed:
    """A count in millions (from ``least`` on) or billions."""
    for size, factor, unit in ((1e9, 1e9, "G"), (least, 1e6, "M")):
        if abs(number) >= size:
            return Printed(grouped(number / factor, places), NBSP + unit)
    return Printed(grouped(number))


def _duration(seconds: float, places: int, lang: Lang) -> Printed:
    units = ("s", "min", "h") if lang == "en" else ("秒", "分", "小时")
    second, minute, hour = (f"{NBSP}{unit}" for unit in units)
    if seconds < 120:
        return Printed(grouped(seconds, 0 if seconds >= 10 else places), second)
    if seconds < 7200:
        minutes, rest = divmod(round(seconds), 60)
        return Printed(f"{minutes}{minute}{NBSP}{rest}", second)
    return Printed(grouped(seconds / 3600, places), hour)


def _bytes(number: float, places: int) -> Printed:
    for power, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(number) >= power:
            digits = places if power == 2**30 else 0
            return Printed(grouped(number / power, digits), f"{NBSP}{unit}")
    return Printed(grouped(number), f"{NBSP}B")


#: Digits after the point by kind; significant digits of gain and weight.
_DIGITS: dict[int, tuple[Kind, ...]] = {
    0: ("count", "integer", "rate"),
    1: ("share", "duration"),
    2: ("accuracy", "difference", "params", "macs", "ratio", "bytes"),
    3: ("loss", "p", "gain", "weight", "learning_rate"),
}
KINDS: dict[Kind, int] = {kind: digits for digits, kinds in _DIGITS.items() for kind in kinds}
#: Units in English and in Chinese that do not depend on the number's size.
_UNITS: dict[Kind, tuple[str, str]] = {
    "accuracy": ("%", "%"),
    "share": ("%", "%"),
    "difference": (f"{NBSP}pp", f"{NBSP}个百分点"),
    "ratio": (TIMES, f"{NBSP}倍"),
    "rate": (f"{NBSP}images/s", f"{NBSP}张/秒"),
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
