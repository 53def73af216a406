"""A whole document, and its forms: the page, the PDF, the READMEs."""
