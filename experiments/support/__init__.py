"""Shared by the other packages: files, text, signals, Git, GPU. Imports no torch."""
