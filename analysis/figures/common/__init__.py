"""Shared by the figures: theme, scales, marks, placement of labels, texts, data."""
