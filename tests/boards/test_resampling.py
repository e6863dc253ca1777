"""The bootstrap: what it draws, and that its intervals cover what they should."""

import numpy as np
import pytest

from mmbench.boards.resampling import Units, example_weights, interval, seed_weights
from mmbench.boards.weighted import weighted_scores

ROW = "0123456789abcdef"


def drawn(units: Units, resamples: int) -> np.ndarray:
    return np.concatenate([weights for _, weights in example_weights(units, (resamples,))], 1)


def test_each_resample_has_as_many_units_as_there_are() -> None:
    weights = drawn(Units.of(40, None, ""), 200)
    assert weights.shape == (40, 200)
    assert (weights.sum(0) == 40).all()
    assert weights.mean() == 1
    assert 0.8 < weights.var(1).mean() < 1.1  # multinomial: 1 - 1/40


def test_a_group_is_drawn_whole() -> None:
    group = np.repeat([7, 3, 5, 9], [1, 2, 3, 10])
    units = Units.of(16, group, "speaker")
    weights = drawn(units, 50)
    assert (units.count, units.name) == (4, "speaker")
    assert all((weights[group == name] == weights[group == name][0]).all() for name in group)
    assert (weights[[0, 1, 3, 6]].sum(0) == 4).all()


def test_chunks_meet_the_bounds_and_leave_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbench.boards.resampling.CHUNK", 300)
    parts = [part for part, _ in example_weights(Units.of(10, None, ""), (50, 100))]
    assert [(part.start, part.stop) for part in parts] == [(0, 30), (30, 50), (50, 80), (80, 100)]


def test_seeds_are_drawn_by_row_and_reproducibly() -> None:
    weights = seed_weights(ROW, 5, 4000)
    assert np.allclose(weights.sum(1), 1)
    assert (weights == seed_weights(ROW, 5, 4000)).all()
    assert (weights != seed_weights(ROW[::-1], 5, 4000)).any()
    assert (seed_weights(ROW, 1, 3) == 1).all()


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_the_variance_over_seeds_is_that_of_their_mean(seeds: int) -> None:
    """Var of the mean is s^2 / S, which S - 1 draws give without bias (Rao & Wu 1988)."""
    values = np.random.default_rng(0).normal(size=seeds)
    means = seed_weights(ROW, seeds, 40_000) @ values
    assert means.var() == pytest.approx(values.var(ddof=1) / seeds, rel=0.05)


def test_the_interval_of_an_accuracy_covers_it_19_times_in_20() -> None:
    rng = np.random.default_rng(0)
    rows, truth, trials = 200, 0.8, 400
    weights = drawn(Units.of(rows, None, ""), 1000)
    hits = rng.random((trials, rows)) < truth
    ends = [interval(values) for values in hits @ weights / rows]
    covered = np.mean([low <= truth <= high for low, high in ends if low is not None])
    assert 0.92 < covered < 0.975


def test_the_interval_of_clustered_rows_covers_only_when_groups_are_drawn() -> None:
    rng = np.random.default_rng(1)
    groups, size, trials = 50, 8, 300
    group = np.repeat(np.arange(groups), size)
    rate = np.clip(rng.normal(0.7, 0.2, (trials, groups)), 0, 1)
    truth = np.clip(rng.normal(0.7, 0.2, 10**6), 0, 1).mean()
    hits = rng.random((trials, groups * size)) < rate[:, group]

    def covered(units: Units) -> float:
        weights = drawn(units, 600)
        ends = [interval(values) for values in (hits @ weights) / weights.sum(0)]
        return float(np.mean([end is not None and end[0] <= truth <= end[1] for end in ends]))

    assert covered(Units.of(groups * size, group, "speaker")) > 0.91
    assert covered(Units.of(groups * size, None, "")) < 0.88


def test_a_score_that_is_undefined_too_often_has_no_interval() -> None:
    values = np.linspace(0, 1, 100)
    assert interval(values) == pytest.approx((0.025, 0.975))
    values[:4] = np.nan
    assert interval(values) is not None
    values[:10] = np.nan
    assert interval(values) is None


def test_a_rare_class_is_missing_from_some_resamples() -> None:
    y = np.zeros(50)[:, None]
    y[:2] = 1
    found = weighted_scores(
        "anomaly", np.random.default_rng(0).random((50, 1)), y, drawn(Units.of(50, None, ""), 500), {"auroc"}
    )
    assert 0.08 < np.isnan(found["auroc"]).mean() < 0.2  # (1 - 2/50)^50 = .13
