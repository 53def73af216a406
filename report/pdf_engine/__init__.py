"""PDFs by WeasyPrint, with replaced functions for Chinese."""
