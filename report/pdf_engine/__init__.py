"""WeasyPrint, and what is replaced in it."""
