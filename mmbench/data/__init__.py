"""Datasets: built-in ones, the cache, and their conversion to splits of tensors."""
