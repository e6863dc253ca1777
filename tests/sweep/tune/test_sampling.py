"""Which configurations are tried: a pure function of the search, its seed and the trial's number."""

import math
import sys

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Range
from mmbench.sweep.tune.sampling import ROUND, Tried, propose
from mmbench.sweep.tune.space import Numbers, Options
from mmbench.sweep.tune.study import Budget

SPACE = {
    "width": Numbers(Range(8, 512, log=True), whole=True),
    "lr": Numbers(Range(1e-4, 1e-2, log=True)),
    "rule": Options(("mean", "max")),
    "gate": Options((False, True)),
}


def draw(number=0, sampler="random", name="late on toy", seed=0, earlier=(), space=SPACE):
    return propose(space, sampler, name, seed, number, earlier, higher=True)


def test_trial_0_is_the_default_and_the_others_are_allowed_values():
    first, second = draw(), draw(1)
    assert first[0] == {}
    assert len(first) == len(second) == ROUND
    for values in (*first[1:], *second):
        assert list(values) == list(SPACE)
        assert all(value in SPACE[name] for name, value in values.items())
        assert isinstance(values["width"], int)
        assert values["lr"] == float(f"{values['lr']:.3g}")
    assert len({tuple(values.values()) for values in (*first, *second)}) == 2 * ROUND


def test_the_same_search_tries_the_same_and_another_one_does_not():
    assert draw() == draw()
    assert draw(1) == draw(1, earlier=[Tried({}, 0.5)]), "random trials do not depend on earlier ones"
    others = [draw(seed=1), draw(name="late on other"), draw(name="early on toy")]
    assert all(other[1:] != draw()[1:] for other in others)


def test_logarithmic_numbers_are_drawn_evenly_by_their_logarithm():
    drawn = [values["lr"] for number in range(1, 41) for values in draw(number)]
    below = sum(value < 1e-3 for value in drawn) / len(drawn)
    assert abs(below - 0.5) < 4 * 0.5 / math.sqrt(len(drawn))


def test_tpe_goes_where_it_was_good_and_is_as_reproducible():
    space = {"lr": SPACE["lr"]}
    earlier: list[Tried] = []
    for number in range(8):
        drawn = draw(number, "tpe", space=space, earlier=earlier)
        assert drawn == draw(number, "tpe", space=space, earlier=earlier)
        scored = [Tried(values, -abs(math.log10(values.get("lr", 1e-3)) + 3.5)) for values in drawn]
        failed, pruned = Tried(scored[-1].values, None), Tried(scored[-2].values, None, pruned=True)
        earlier += [*scored[:-2], pruned, failed]

    def distance(some: list[Tried]) -> float:
        return sum(abs(math.log10(tried.values["lr"]) + 3.5) for tried in some if tried.values) / len(some)

    assert distance(earlier[-10:]) < distance(earlier[:10])


@pytest.mark.parametrize(("trials", "sizes"), [(1, [1]), (5, [5]), (12, [5, 5, 2])])
def test_a_budget_is_spent_in_rounds(trials, sizes):
    rounds = Budget(trials).rounds
    assert [len(numbers) for numbers in rounds] == sizes
    assert [k for numbers in rounds for k in numbers] == list(range(trials))


def test_without_optuna_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MmbenchError, match=r"pip install 'mmbench\[tune\]'"):
        draw()
