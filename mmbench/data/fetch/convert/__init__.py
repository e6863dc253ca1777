"""Conversion of each collection: ``convert(raw, out)`` reads the files as they were downloaded and writes ours.

No converter draws random numbers. What comes out is checked against the digest in the table of collections.
"""
