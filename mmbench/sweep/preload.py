"""Imported once by the server that workers are forked from, so that a worker starts in milliseconds.

It must start no thread and run no kernel: what is forked has to be quiet.
"""

import gc
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server was started with Ctrl-C held back: it is for the parent
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
gc.disable()  # importing makes next to no garbage, and looking for it takes a third of the time

# ruff: noqa: E402
import psutil  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.ensemble
import sklearn.linear_model
import sklearn.metrics  # noqa: F401
import torch._dynamo  # noqa: F401  # the first optimiser would import it, for a second

import mmbench.measures.task
import mmbench.sweep.batch  # noqa: F401
from mmbench.registry import installed
from mmbench.results import provenance

for known in (installed, provenance.libraries, provenance.hardware, provenance.git_state):
    known()  # found out once, for all workers

gc.collect()
gc.freeze()  # workers neither look through all of this again, nor copy it by doing so
gc.enable()
