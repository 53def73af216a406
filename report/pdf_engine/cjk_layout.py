"""Justification of Chinese text in WeasyPrint.

Chinese is justified by widening the gaps between characters, not only spaces. The blank half of a
full-width mark at the end of a line extends into the margin.

WeasyPrint has no hook for this, so three of its functions are replaced:
``layout.inline.count_expandable_spaces``, ``layout.inline.justify_line`` and
``text.line_break.Layout.set_text``. This was tested with the versions below. With any other
version Chinese text is not justified, and a warning is printed.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import Any

#: Tested versions of WeasyPrint.
TESTED = ("70.0",)
#: The style for other versions.
RAGGED = "body.zh :is(p, li) { text-align: left; }"
#: Characters with expandable gaps; not dashes and ellipses, which come in pairs.
_WIDE = re.compile("[\u3001-\u303f\u3400-\u9fff\uf900-\ufaff\uff01-\uff60]+")
#: Full-width marks whose right half is blank.
_HANGING = "，。、；：！？）】」』》"
#: Maximum growth of a gap as a share of the font size; other lines are not justified.
_WIDEST = 0.3


@functools.cache
def prepare() -> str:
    """Replace the functions once; returns a style sheet, empty for a tested version."""
    import weasyprint

    if weasyprint.__version__ not in TESTED:
        print(
            f"warning: WeasyPrint {weasyprint.__version__} is not one of those that Chinese "
            f"justification was tested with ({', '.join(TESTED)}): Chinese is set ragged",
            file=sys.stderr,
        )
        return RAGGED
    from weasyprint.layout import inline
    from weasyprint.text.line_break import Layout

    justify_line = inline.justify_line
    set_text = Layout.set_text

    def justified(context: Any, line: Any, extra: float) -> None:
        last = _last_text(line)
        if last and last.text[-1:] in _HANGING:
            extra += last.style["font_size"] / 2
        if _is_latin(line) or extra < _gaps(line) * _WIDEST * line.style["font_size"]:
            justify_line(context, line, extra)

    def with_gaps(layout: Any, text: str, justify: bool = False) -> None:
        set_text(layout, text, justify)
        if justify and layout.justification_spacing:
            _widen(layout)

    inline.count_expandable_spaces = _gaps
    inline.justify_line = justified
    Layout.set_text = with_gaps
    return ""


def _gaps(box: Any) -> float:
    """Number of expandable gaps of a line; a gap at an edge of a box counts half."""
    text = getattr(box, "text", None)
    if text is None:
        return sum(_gaps(child) for child in getattr(box, "children", ()) if _inline(child))
    wide = [match.span() for match in _WIDE.finditer(text)]
    gaps: float = sum(end - start for start, end in wide)
    if wide:
        gaps -= (wide[0][0] == 0) / 2 + (wide[-1][1] == len(text)) / 2
    return gaps + text.count(" ") + text.count("\N{NO-BREAK SPACE}")


def _inline(box: Any) -> bool:
    from weasyprint.formatting_structure import boxes

    return isinstance(box, boxes.TextBox | boxes.InlineBox)


def _is_latin(box: Any) -> bool:
    text = getattr(box, "text", None)
    if text is None:
        return all(_is_latin(child) for child in getattr(box, "children", ()))
    return _WIDE.search(text) is None


def _last_text(box: Any) -> Any:
    while box is not None and getattr(box, "text", None) is None:
        children = getattr(box, "children", ())
        box = children[-1] if children else None
    return box


def _widen(layout: Any) -> None:
    """Set letter spacing for runs of wide characters; Pango halves it at the edges of a text."""
    from weasyprint.text.ffi import TO_UNITS, ffi, pango

    attributes = pango.pango_layout_get_attributes(layout.layout)
    if attributes == ffi.NULL:
        attributes = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
    for run in _WIDE.finditer(layout.text):
        spacing = pango.pango_attr_letter_spacing_new(int(layout.justification_spacing * TO_UNITS))
        spacing.start_index = len(layout.text[: run.start()].encode())
        spacing.end_index = len(layout.text[: run.end()].encode())
        pango.pango_attr_list_change(attributes, spacing)
    pango.pango_layout_set_attributes(layout.layout, attributes)
