"""Justification of Chinese text in WeasyPrint.

Chinese is justified by widening the gaps between characters, not only spaces. The blank half of a
full-width mark at the end of a line extends into the margin.

WeasyPrint has no hook for this, so three of its functions are replaced:
``layout.inline.count_expandable_spaces``, ``layout.inline.justify_line`` and
``text.line_break.Layout.set_text``. This was tested with the versions below. With any other
version Chinese text is not justified, and a warning is printed.
"""

import functools
import logging
import re
import sys
from typing import Any

from report.base.errors import ReportError

#: Tested versions of WeasyPrint.
TESTED = ("70.0",)

#: Characters with expandable gaps; not dashes and ellipses, which come in pairs.
_WIDE = re.compile("[\u3001-\u303f\u3400-\u9fff\uf900-\ufaff\uff01-\uff60]+")
#: Full-width marks whose right half is blank.
_HANGING = "，。、；：！？）】」』》"
#: Maximum growth of a gap as a share of the font size; other lines are not justified.
_WIDEST = 0.3


@functools.cache
def prepare() -> str:
    """Load WeasyPrint and replace the functions, once.

    Returns:
        A style sheet for versions on which Chinese is not justified; else empty.

    Raises:
        ReportError: WeasyPrint cannot be loaded.
    """
    try:
        import weasyprint
    except OSError as error:
        # A system library (Pango) is missing.
        raise ReportError(f"WeasyPrint cannot be loaded ({error}); run `make setup`") from None
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    if weasyprint.__version__ not in TESTED:
        print(
            f"warning: WeasyPrint {weasyprint.__version__} is not one of those that Chinese "
            f"justification was tested with ({', '.join(TESTED)}): Chinese is set ragged",
            file=sys.stderr,
        )
        return "body.zh :is(p, li) { text-align: left; }"
    from weasyprint.formatting_structure.boxes import TextBox
    from weasyprint.layout import inline
    from weasyprint.text.line_break import Layout

    count_spaces, justify_line = inline.count_expandable_spaces, inline.justify_line
    set_text = Layout.set_text

    def gaps(box: Any) -> float:
        """Number of expandable gaps of a line; a gap at an edge of a text counts half."""
        found: float = count_spaces(box)  # of a line, the sum of `gaps` over its boxes
        wide = [match.span() for match in _WIDE.finditer(getattr(box, "text", ""))]
        if wide:
            found += sum(end - start for start, end in wide)
            found -= (wide[0][0] == 0) / 2 + (wide[-1][1] == len(box.text)) / 2
        return found

    def justified(context: Any, line: Any, extra: float) -> None:
        found = [box for box in line.descendants() if isinstance(box, TextBox)]
        *_, last = line.descendants()
        if last in found and last.text[-1:] in _HANGING:
            extra += last.style["font_size"] / 2
        latin = not any(_WIDE.search(box.text) for box in found)
        if latin or extra < gaps(line) * _WIDEST * line.style["font_size"]:
            justify_line(context, line, extra)

    def with_gaps(layout: Any, text: str, justify: bool = False) -> None:
        set_text(layout, text, justify)
        if justify and layout.justification_spacing:
            _widen(layout)

    inline.count_expandable_spaces = gaps
    inline.justify_line = justified
    Layout.set_text = with_gaps
    return ""


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
