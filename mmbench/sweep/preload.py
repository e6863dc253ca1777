"""Imported once by the server that workers are forked from, so that a worker starts in milliseconds.

It must start no thread and run no kernel: what is forked has to be quiet.
"""

import datasets  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.ensemble
import sklearn.linear_model
import sklearn.metrics  # noqa: F401
import torch._dynamo  # noqa: F401  # the first optimiser would import it, for a second

import mmbench.measures.task
import mmbench.sweep.batch  # noqa: F401
