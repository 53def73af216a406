"""The inks of all figures. Whoever shows a drawing may replace them; loads no drawing library."""

#: Text and marks that carry the message; axes, ticks and side notes; hairlines; the page.
INK, INK_2, RULE, PAPER = "#1b1b1f", "#5b5b64", "#d3d3d9", "#fffffe"
