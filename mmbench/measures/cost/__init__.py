"""Cost: what a method takes, in parameters, operations, seconds and memory."""
