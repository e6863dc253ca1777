"""The trainer: one loop for every fusion model, with no branch for any method."""
