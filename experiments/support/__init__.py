"""Files, text, signals and Git: what the other packages share. Imports no torch."""
