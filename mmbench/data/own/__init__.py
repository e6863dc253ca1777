"""Data of one's own, and datasets of the Hugging Face Hub: read as a card file (``mmbench.toml``) says.

``place`` makes a card of a folder, light; ``build`` and ``hub`` read the data, in the worker.
"""
