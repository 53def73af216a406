"""Shared by the whole report: errors, Jinja environment, labels, placeholders, the tree."""
