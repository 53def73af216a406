"""The colours of text and lines in all figures; a page may replace them. Imports no matplotlib."""

#: Text and marks that carry the message; axes, ticks and side notes; hairlines; the page.
INK, INK_2, RULE, PAPER = "#1b1b1f", "#5b5b64", "#d3d3d9", "#fffffe"
