"""Classify a photo of a digit with a trained network whose weights were saved."""
