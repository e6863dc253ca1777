"""Takes the worker with it before its first cell, the first time."""

import os

from mmbench_drill_models import Good, note, noted

__all__ = ["Good"]

if not noted("stillborn"):
    note("stillborn", os.getpid())
    os._exit(4)
