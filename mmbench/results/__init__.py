"""Results: the schema of a record, the store that keeps it, and where it came from."""
