"""Tensor records and building blocks for plugin authors."""
