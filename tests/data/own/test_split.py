"""Drawn splits are apart, have their shares, keep groups whole and classes in proportion."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import MmbenchError
from mmbench.data.own.split import Known, draw, split
from mmbench.data.own.splitting import Splitting


def splitting(seed=0, **fractions):
    return Splitting({"table": ("t.csv",)}, fractions=fractions or {"validation": 0.2, "test": 0.3}, seed=seed)


def known(group=None, ids=None, stratum=()):
    return Known(group, ids, stratum)


@given(st.lists(st.integers(0, 3), min_size=20, max_size=200), st.integers(0, 5))
def test_rows_are_in_one_split_each_and_classes_in_proportion(classes, seed):
    drawn = draw(splitting(seed), known(stratum=classes), len(classes))
    assert sorted(np.concatenate(list(drawn.values())).tolist()) == list(range(len(classes)))
    total = Counter(classes)
    for name, share in {"validation": 0.2, "test": 0.3, "train": 0.5}.items():
        assert abs(len(drawn[name]) - share * len(classes)) <= 1.0 + 1e-9
        for label, count in Counter(classes[row] for row in drawn[name]).items():
            assert abs(count - share * total[label]) <= 3


@given(st.lists(st.sampled_from("abcdefgh"), min_size=20, max_size=100), st.integers(0, 5))
def test_groups_stay_whole(groups, seed):
    groups = [*groups, "x", "y", "z"]
    drawn = draw(splitting(seed), known(group=groups), len(groups))
    owners = {}
    for name, rows in drawn.items():
        assert len(rows)
        for row in rows:
            assert owners.setdefault(groups[row], name) == name
    assert set(np.concatenate(list(drawn.values())).tolist()) == set(range(len(groups)))


def test_many_groups_come_near_to_their_shares():
    groups = [str(row // 5) for row in range(1000)]
    drawn = draw(splitting(), known(group=groups), 1000)
    assert {name: len(rows) for name, rows in drawn.items()} == {"validation": 200, "test": 300, "train": 500}


def test_the_draw_follows_its_seed_and_the_ids_alone():
    one, same, other = (draw(splitting(seed), known(), 100)["test"].tolist() for seed in (1, 1, 2))
    assert one == same != other
    ids = [f"sample {row}" for row in range(100)]
    first = {ids[row] for row in draw(splitting(), known(ids=ids), 100)["test"]}
    turned = ids[::-1]
    assert first == {turned[row] for row in draw(splitting(), known(ids=turned), 100)["test"]}


def test_too_few_groups_are_told():
    with pytest.raises(MmbenchError, match="there are 2 groups, and each of 3 splits"):
        draw(splitting(), known(group=["a", "b", "a"]), 3)


def test_a_split_without_rows_is_told():
    table = SimpleNamespace(rows=2, name="t.csv")
    with pytest.raises(MmbenchError, match="split 'validation' has no rows"):
        split(splitting(), {"table": table}, {"table": known()})
