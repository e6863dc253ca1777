"""Trained by the harness: both learn a small problem, and a blend weighs as it should."""

import pytest
import torch
from mmbench_blend import mmbench_methods
from mmbench_blend.weights import LEAST

from mmbench import Inputs, Modality, Split, Task
from mmbench.registry import load
from mmbench.train.run import CellRun, as_estimator

CARDS = {card.name: card for card in mmbench_methods()}
OPTIONS = {"lr": 1e-2, "batch": 64, "epochs": 12}
TASK = Task("classification", 3, (Modality("a", "vector", (6,)), Modality("b", "sequence", (4, 3))))
VECTORS = Task("classification", 2, (Modality("a", "vector", (8,)), Modality("b", "vector", (8,))))


def separable(rows, seed):
    """Three classes, plain in each modality; one sample in five lacks one of them."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    centres = 2.5 * torch.nn.functional.one_hot(y, 3).float()
    a = torch.cat([centres, torch.zeros(rows, 3)], 1) + 0.3 * torch.randn(rows, 6, generator=g)
    b = centres[:, None].expand(-1, 4, -1) + 0.3 * torch.randn(rows, 4, 3, generator=g)
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[::10, 0] = present[5::10, 1] = False
    return Split(Inputs({"a": a, "b": b}, torch.ones_like(present), {"b": torch.full((rows,), 4)}).keep(present), y)


def bits(rows, seed, target):
    """A bit in each of two vectors; the target is one of them, or their XOR."""
    g = torch.Generator().manual_seed(seed)
    s = torch.randint(0, 2, (2, rows), generator=g)
    a, b = (torch.randn(rows, 8, generator=g) * 0.5 for _ in range(2))
    a[:, 0], b[:, 0] = 2.0 * s[0] - 1 + a[:, 0], 2.0 * s[1] - 1 + b[:, 0]
    y = {"a": s[0], "xor": s[0] ^ s[1]}[target]
    return Split(Inputs({"a": a, "b": b}, torch.ones(rows, 2, dtype=torch.bool)), y)


def fitted(name, task, splits, **options):
    run = CellRun(task, 0, options={**OPTIONS, **options})
    sizes = {"width": 16, "hidden": 16} if name == "gradient-blending" else {"width": 16}
    estimator = as_estimator(lambda: load(CARDS[name])(task, **sizes), 0, name)
    return estimator.fit(*splits, run), run


@pytest.mark.parametrize("name", CARDS)
def test_learns_a_separable_set(name):
    estimator, run = fitted(name, TASK, (separable(300, 0), separable(90, 1)))
    test = separable(90, 2)
    p = estimator.predict(test.withheld())
    torch.testing.assert_close(p.sum(1), torch.ones(90))
    assert (p.argmax(1) == test.target).float().mean() >= 0.95
    assert set(estimator.embed(test.withheld())) == {"a", "b", "fused"}
    assert len(run.fits) == (2 if name == "gradient-blending" else 1)


def test_a_modality_that_says_nothing_has_the_common_share_alone():
    estimator, _ = fitted("gradient-blending", VECTORS, (bits(600, 0, "a"), bits(600, 1, "a")), epochs=25)
    a, b, fused = estimator.weights.tolist()
    assert a + b + fused == pytest.approx(1)
    assert b == pytest.approx(LEAST / 3, abs=0.05)
    assert a > 0.2


def test_what_both_say_jointly_is_left_to_the_fused_head():
    """XOR: neither modality alone generalises, and additive OGM cannot learn it either."""
    splits, test = (bits(1000, 0, "xor"), bits(500, 1, "xor")), bits(1000, 2, "xor")
    blended, _ = fitted("gradient-blending", VECTORS, splits, epochs=25)
    assert blended.weights[2] > 0.95
    assert (blended.predict(test).argmax(1) == test.target).float().mean() > 0.85
    additive, _ = fitted("ogm-ge", VECTORS, splits)
    assert (additive.predict(test).argmax(1) == test.target).float().mean() < 0.6


def test_one_modality_is_trained_once():
    task = Task("classification", 3, TASK.modalities[:1])
    train, validation = (
        Split(Inputs({"a": s.inputs.values["a"]}, torch.ones(len(s), 1).bool()), s.target)
        for s in (separable(120, 0), separable(60, 1))
    )
    estimator, run = fitted("gradient-blending", task, (train, validation), epochs=2)
    assert len(run.fits) == 1
    assert estimator.weights.tolist() == [1.0]
    assert estimator.predict(validation).shape == (60, 3)
