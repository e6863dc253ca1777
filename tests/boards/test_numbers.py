"""Numbers as people read them."""

import pytest

from mmbench.boards.numbers import count, decimals, duration, fixed, plural, signed
from mmbench.core.scores import TASK_SCORES


@pytest.mark.parametrize(
    ("score", "values", "expected"),
    [
        ("accuracy", [0.8], 3),
        ("accuracy", [], 3),
        ("nll", [0.3, 0.5, 2.3], 3),
        ("nll", [2.3], 2),
        ("rmse", [0.00123], 5),
        ("rmse", [54.1, 79.2], 1),
        ("rmse", [1234.0], 0),
        ("rmse", [0.0], 3),
        ("pearson", [-0.1], 3),
    ],
)
def test_a_column_has_the_decimals_that_its_scores_need(score, values, expected):
    assert decimals(TASK_SCORES[score], values) == expected


def test_signs_are_typographic_and_zero_has_none():
    assert [fixed(value, 3) for value in (0.8341, -0.0204, -0.00001, 1234.5)] == [
        "0.834",
        "−0.020",
        "0.000",
        "1,234.500",
    ]
    assert [signed(value, 3) for value in (0.021, -0.004, 0.00001, -0.00001)] == ["+0.021", "−0.004", "0.000", "0.000"]


def test_counts_and_durations_keep_three_digits():
    assert [count(n) for n in (None, 0, 950, 999_499, 12_345, 9_146, 30_000, 123_456, 4_560_000, 10**9)] == [
        "–", "0", "950", "999k", "12.3k", "9.15k", "30.0k", "123k", "4.56M", "1.00G",
    ]  # fmt: skip
    assert [duration(s) for s in (None, 0.02, 0.84, 9.96, 12.3, 119.6, 130, 7300)] == [
        "–", "0.0 s", "0.8 s", "10 s", "12 s", "120 s", "2.2 min", "2.0 h",
    ]  # fmt: skip


def test_plurals():
    words = [(1, "row"), (2, "row"), (3, "identity"), (2, "day"), (10_000, "time")]
    assert [plural(*word) for word in words] == ["1 row", "2 rows", "3 identities", "2 days", "10,000 times"]
