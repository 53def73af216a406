"""What WeasyPrint computes over and over is computed once; the PDF stays the same, byte for byte.

Much of its time goes into the same few things: texts are split into lines several times (for the
widths of a table, for a float, for the page), styles and lengths are looked up for each box, and
outlines are read number by number. None of this has a public hook, so functions of the library
itself are replaced, as in ``report.paper``: its version is locked, and ``tests/test_pdf.py``
compares the bytes with those that the library makes by itself.
"""

from __future__ import annotations

import copy
import ctypes.util
import functools
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: All that the lines of a text depend on, apart from the text and the room for it.
_TEXT_STYLE = (
    "direction", "font_family", "font_feature_settings", "font_kerning", "font_language_override",
    "font_size", "font_stretch", "font_style", "font_variant_alternates", "font_variant_caps",
    "font_variant_east_asian", "font_variant_ligatures", "font_variant_numeric",
    "font_variant_position", "font_variation_settings", "font_weight", "hyphenate_character",
    "hyphenate_limit_chars", "hyphenate_limit_zone", "hyphens", "lang", "letter_spacing",
    "overflow_wrap", "tab_size", "text_decoration_line", "white_space", "word_break",
    "word_spacing",
)  # fmt: skip
_LENGTHS = (
    "margin_left", "margin_right", "margin_top", "margin_bottom",
    "padding_left", "padding_right", "padding_top", "padding_bottom",
    "width", "min_width", "max_width", "height", "min_height", "max_height",
)  # fmt: skip
_BORDERS = (
    "border_top_width", "border_right_width", "border_bottom_width", "border_left_width",
)  # fmt: skip
#: Commands of outlines as drawings here have them, with how many numbers follow.
_COMMAND = re.compile("([MLCQZz])([^A-Za-z]*)")
_NUMBERS = {"M": 2, "L": 2, "C": 6, "Q": 4, "Z": 0, "z": 0}
_WORDS = {"M": b"m", "L": b"l", "C": b"c", "Q": b"c", "Z": b"h", "z": b"h"}


@contextmanager
def direct_libraries() -> Iterator[None]:
    """On Linux, load libraries by the name of their file, which WeasyPrint tries last.

    For the names that it tries before, Python would start the C compiler to look for them.
    """
    find = ctypes.util.find_library
    if sys.platform == "linux":
        ctypes.util.find_library = lambda name: None
    try:
        yield
    finally:
        ctypes.util.find_library = find


@functools.cache
def prepare() -> None:
    """Replace the functions, once."""
    from weasyprint import css
    from weasyprint.layout import percent
    from weasyprint.svg import TAGS, path, utils
    from weasyprint.text import line_break

    _replace(line_break.split_first_line, _splitting(line_break))
    _replace(line_break.strut, _struts(line_break.strut))
    _replace(line_break.get_font_description, _fonts(line_break.get_font_description))
    _replace(percent.resolve_percentages, _lengths(percent.resolve_percentages))
    _look_up(css)
    TAGS["path"] = _outline(path)
    for function in (utils.normalize, utils.parse_url):
        _replace(function, functools.lru_cache(maxsize=1024)(function))
    _replace(utils.color, _colors(utils.color))


def _replace(function: Any, by: Any) -> None:
    """Put a function in another's place wherever the library has imported it."""
    called: str = function.__name__
    for name, module in list(sys.modules.items()):
        if name.startswith("weasyprint.") and getattr(module, called, None) is function:
            setattr(module, called, by)


def _kept(style: Any, name: str) -> dict[Any, Any]:
    """What is kept as long as the fonts of a document, under a name."""
    kept: dict[Any, Any] = style.font_config.__dict__.setdefault(name, {})
    return kept


def _text_style(style: Any) -> int:
    """A number that is the same for styles in which texts come out alike."""
    number: int
    try:
        number = style.text_style
    except AttributeError:
        known = _kept(style, "text_styles")
        values = str([style[name] for name in _TEXT_STYLE])
        number = style.text_style = known.setdefault(values, len(known))
    return number


def _splitting(line_break: Any) -> Callable[..., Any]:
    split_first_line = line_break.split_first_line
    Layout = line_break.Layout

    def again(made: tuple[Any, ...]) -> tuple[Any, ...]:
        layout = Layout.__new__(Layout)  # each line widens its own when it is justified
        layout.__dict__.update(made[0].__dict__)
        return (layout, *made[1:])

    def split(
        text: str,
        style: Any,
        context: Any,
        room: float | None,
        justification: float,
        is_line_start: bool = True,
        minimum: bool = False,
    ) -> tuple[Any, ...]:
        kept = _kept(style, "lines")
        whole = (text, _text_style(style), justification)
        made = kept.get(whole)
        if made is not None and (room is None or made[3] <= room):
            return again(made)
        part = (whole, room, is_line_start, minimum)
        made = kept.get(part)
        if made is None:
            made = split_first_line(
                text, style, context, room, justification, is_line_start, minimum
            )
            _, _, rest, width, _, _ = made
            fits = rest is None and (room is None or width <= room)
            kept[whole if fits else part] = made
        return again(made)

    return split


def _struts(strut: Any) -> Callable[[Any], Any]:
    def kept(style: Any) -> Any:
        try:
            return style.strut
        except AttributeError:
            style.strut = strut(style)
            return style.strut

    return kept


def _fonts(get_font_description: Any) -> Callable[[Any], Any]:
    def kept(style: Any) -> Any:
        known = _kept(style, "descriptions")
        number = _text_style(style)
        if number not in known:
            known[number] = get_font_description(style)
        return known[number]

    return kept


def _lengths(resolve_percentages: Any) -> Callable[[Any, Any], None]:
    """Lengths of a box without percentages, which are the same whatever contains it."""

    def resolved(box: Any, containing_block: Any) -> None:
        style = box.style
        try:
            lengths = style.lengths
        except AttributeError:
            lengths = style.lengths = _fixed(style)
        if lengths is None:
            resolve_percentages(box, containing_block)
            return
        known = box.__dict__
        known.update(lengths)
        collapse = style["border_collapse"] == "collapse"
        for name in _BORDERS:
            if not (collapse and hasattr(box, name)):
                known[name] = style[name]

    return resolved


def _fixed(style: Any) -> dict[str, Any] | None:
    """The lengths of a style in pixels; None if they depend on anything else."""
    if style["box_sizing"] != "content-box":
        return None
    lengths = {}
    for name in _LENGTHS:
        value = style[name]
        if value == "auto":
            lengths[name] = 0 if name in ("min_width", "min_height") else value
        elif getattr(value, "unit", "").lower() == "px":
            lengths[name] = value.value
        else:
            return None
    return lengths


def _colors(color: Callable[[str], Any]) -> Callable[[str], Any]:
    known = functools.lru_cache(maxsize=1024)(color)
    return lambda string: copy.copy(known(string))  # drawing changes its opacity


def _look_up(css: Any) -> None:
    """Properties that no rule sets and nothing computes, straight from where they are."""
    special = {"display", "float", "page", "position", *css.INITIAL_NOT_COMPUTED}
    plain = {
        name
        for name in css.INITIAL_VALUES
        if name not in special and not name.startswith("text_decoration_")
    }
    inherited = frozenset(plain & css.INHERITED)
    initial = {name: css.INITIAL_VALUES[name] for name in plain - css.INHERITED}
    logical = css.PHYSICAL_FUNCTIONS
    computed, anonymous = css.ComputedStyle.__missing__, css.AnonymousStyle.__missing__

    def in_element(style: Any, key: str) -> Any:
        if key in style.cascaded or key in logical:
            return computed(style, key)
        if key in inherited and style.parent_style is not None:
            value = style[key] = style.parent_style[key]
        elif key in initial:
            value = style[key] = initial[key]
        else:
            value = computed(style, key)
        return value

    def in_anonymous(style: Any, key: str) -> Any:
        if key in inherited:
            value = style[key] = style.parent_style[key]
        elif key in initial:
            value = style[key] = initial[key]
        else:
            value = anonymous(style, key)
        return value

    css.ComputedStyle.__missing__ = in_element
    css.AnonymousStyle.__missing__ = in_anonymous


def _outline(path: Any) -> Callable[..., None]:
    def drawn(svg: Any, node: Any, font_size: float) -> None:
        marked = any(name.startswith("marker") for name in node.attrib)
        steps = None if marked else _steps(node.get("d", ""))
        if steps is None:
            path(svg, node, font_size)
            return
        svg.stream.move_to(0, 0)  # as the library does
        svg.stream.stream.extend(steps)

    return drawn


@functools.lru_cache(maxsize=512)
def _steps(outline: str) -> tuple[bytes, ...] | None:
    """An outline in the PDF's own words; None if it is not as drawings here have them."""
    found = _COMMAND.findall(outline)
    if sum(1 + len(rest) for _, rest in found) != len(outline.lstrip()):
        return None
    steps: list[bytes] = []
    x = y = 0.0
    for command, rest in found:
        try:
            numbers = [float(number) for number in rest.split()]
        except ValueError:
            return None
        if len(numbers) != _NUMBERS[command]:
            return None
        if command == "Q":  # which PDF lacks; in the library's order of operations
            x2, y2, x3, y3 = numbers
            numbers = [
                x2 * 2 / 3 + x / 3, y2 * 2 / 3 + y / 3,
                x2 * 2 / 3 + x3 / 3, y2 * 2 / 3 + y3 / 3, x3, y3,
            ]  # fmt: skip
        if numbers:
            x, y = numbers[-2:]
        steps.append(b" ".join([*map(_written, numbers), _WORDS[command]]))
    return tuple(steps)


def _written(number: float) -> bytes:
    """A number as pydyf writes it."""
    if number.is_integer():
        return str(int(number)).encode()
    return f"{number:f}".rstrip("0").encode()
