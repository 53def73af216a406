"""Parts of a document: numbers, tables, run cards, front matter, formulas, references."""
