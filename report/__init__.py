"""From the analysis and the templates to the HTML page, the PDFs and the exports.

Imports no torch.
"""
