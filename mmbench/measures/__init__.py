"""Measures: from an evaluation to named scores. This module is the plugin of the built-in ones."""
