"""Modality matching: whether the encodings of two modalities of one sample find each other."""
