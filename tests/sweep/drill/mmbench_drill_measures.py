"""Measures of a fitted method that go well, or wrong."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from mmbench.measures.subject import Findings


def census(subject, *, times: int = 1):
    """Asks the subject for everything that it offers."""
    test = subject.rows("test")
    few = subject.rows("test", 10, complete=True)
    predict = subject.predictor(few)
    clean = predict(few.inputs)
    np.testing.assert_allclose(clean, subject.predict(few), rtol=1e-4)
    np.testing.assert_allclose(subject.predictions("test"), subject.predict(test), rtol=1e-4)
    assert len(subject.targets("validation")) == subject.sizes["validation"]
    without = predict(few.inputs.keep(few.inputs.present & False))
    assert np.ptp(without, axis=0).max() == 0, "rows without any modality get the prior"
    assert subject.generator("a", 1).random() == subject.generator("a", 1).random()
    assert subject.once("x", lambda: 1) == subject.once("x", lambda: 2) == 1
    embedded = subject.embed(few)
    anew = subject.refit(np.arange(40))
    table = {"modality": list(embedded), "width": [x.shape[1] for x in embedded.values()]}
    notes = {"fitted_again": round(anew.score(anew.predict(test), test), 4), "chance": round(subject.chance, 4)}
    return Findings({"census": times * len(test)}, {"embeddings": table}, notes)


def raising(subject):
    raise ValueError("this measure has no numbers")


def vague(subject):
    return Findings()


def mute(subject):
    return Findings(reason="it has nothing to say about this method")


def fatal(subject):
    os.kill(os.getpid(), signal.SIGKILL)


def endless(subject):
    """Ends the second time alone."""
    mark = Path(os.environ["DRILL_NOTES"], "endless")
    if not mark.exists():
        mark.touch()
        time.sleep(600)
    return Findings({"endless": 1.0})


def scribbling(subject):
    subject.rows("test").inputs.values["left"].zero_()
    return Findings({"scribbling": 1.0})


def infinite(subject):
    return Findings({"infinite": float("nan")})


def beyond(subject):
    return Findings({"beyond": 7.0})
