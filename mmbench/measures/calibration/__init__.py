"""Calibration: whether predicted probabilities are the frequencies of what happens."""
