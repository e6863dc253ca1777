"""The suite's words as small typed classes. Nothing here imports torch."""
