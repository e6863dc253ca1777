"""The check of a prepared dataset: leaks between its splits, and what a reader of its scores should know."""
