"""Sweeps: from the names that a user gives to results on disk."""
