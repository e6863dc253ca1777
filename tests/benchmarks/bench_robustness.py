"""Ten levels of corruption of each modality: encoders' outputs kept against everything computed anew. Goal 8."""

import pytest
import torch
from pairs import Versus, compare, keep
from problems import corruptions, digits, sequences

from mmbench.core.arithmetic import Arithmetic
from mmbench.train.blocks import PROBED, rows_at_once
from mmbench.train.calls import evaluate
from mmbench.train.memo import MemoisedModel

LEVELS = 10
CASES = {"image and spectrogram": (lambda: digits(600), 1.7), "3 sequences": (lambda: sequences(2000, 3), 2.5)}


@pytest.mark.parametrize("case", CASES)
def test_corrupted_evaluations(benchmark, case):
    """All included that the memo needs: its trial, and what it keeps."""
    make, aim = CASES[case]
    problem = make()
    model = problem.fit(epochs=1).model
    base, arithmetic = problem.validation, Arithmetic()
    variants = list(corruptions(problem, LEVELS))
    rows = rows_at_once(model, base.part(slice(PROBED)))
    outputs = {}

    def kept():
        memoised = MemoisedModel(model, base, rows, arithmetic)
        assert memoised.reused, memoised.why
        outputs["kept"] = [memoised.output(variant).prediction for variant in variants]

    def anew():
        outputs["anew"] = [evaluate(model, variant.inputs, rows, arithmetic).prediction for variant in variants]

    ours, theirs = compare(benchmark, kept, {"anew": anew})
    assert all(map(torch.equal, outputs["kept"], outputs["anew"]))
    what = f"{problem.name}: {LEVELS} levels of each modality, {len(base)} rows"
    versus = Versus(what, "faster", aim, 8, len(variants), "variant")
    keep(benchmark, versus.record("Robustness: computed anew / encoders' outputs kept", ours, theirs["anew"]))
