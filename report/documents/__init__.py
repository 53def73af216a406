"""Whole documents and their formats: page, PDF, Word, LaTeX, Markdown, READMEs."""
