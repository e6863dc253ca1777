"""Tuning: the same number of trials for every method, on validation alone; the best one's values become its rows."""
