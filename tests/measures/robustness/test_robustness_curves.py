"""Numbers of curves: values by hand, and what is refused."""

import subprocess
import sys

import pytest

from mmbench.measures.robustness.curves import area, curves_of, effective, relative_area, retained

LINEAR = {0.0: 1.0, 0.25: 0.875, 0.5: 0.75, 0.75: 0.625, 1.0: 0.5}


def test_the_area_of_a_constant_is_its_value():
    assert area({0.0: 0.7, 0.3: 0.7, 1.0: 0.7}) == pytest.approx(0.7)


def test_the_area_of_a_line_is_its_mean_whatever_the_levels():
    assert area(LINEAR) == pytest.approx(0.75)
    assert area({0.0: 1.0, 0.1: 0.95, 1.0: 0.5}) == pytest.approx(0.75)
    assert area({0.0: 1.0, 0.5: 0.5}) == pytest.approx(0.75)


def test_the_area_of_a_bent_curve_by_hand():
    assert area({0.0: 1.0, 0.5: 0.6, 1.0: 0.5}) == pytest.approx((0.8 + 0.55) / 2)


def test_levels_need_no_order():
    assert area({1.0: 0.5, 0.0: 1.0, 0.5: 0.6}) == area({0.0: 1.0, 0.5: 0.6, 1.0: 0.5})


def test_a_single_level_has_no_area():
    with pytest.raises(ValueError, match="two levels"):
        area({0.0: 1.0})


def test_retained_by_hand():
    assert retained(0.75, clean=1.0, chance=0.5) == pytest.approx(0.5)
    assert retained(1.0, clean=1.0, chance=0.5) == 1
    assert retained(0.5, clean=1.0, chance=0.5) == 0
    assert retained(3.0, clean=1.0, chance=5.0) == pytest.approx(0.5)  # an error: less is better


def test_chance_has_nothing_to_retain():
    with pytest.raises(ValueError, match="chance"):
        retained(0.5, clean=0.5, chance=0.5)


def test_late_fusion_against_itself_has_no_effective_robustness():
    assert effective(LINEAR, LINEAR) == 0


def test_a_head_start_is_no_robustness_and_a_slower_fall_is():
    late = {0.0: 0.8, 0.5: 0.6, 1.0: 0.5}
    assert effective({0.0: 0.9, 0.5: 0.7, 1.0: 0.6}, late) == pytest.approx(0)
    assert effective({0.0: 0.9, 0.5: 0.8, 1.0: 0.6}, late) == pytest.approx(0.05)
    assert effective({0.0: 0.9, 0.5: 0.6, 1.0: 0.5}, late) == pytest.approx(-0.1)


def test_curves_of_other_levels_are_not_compared():
    with pytest.raises(ValueError, match="levels"):
        effective(LINEAR, {0.0: 1.0, 1.0: 0.5})
    with pytest.raises(ValueError, match="level 0"):
        effective({0.5: 1.0}, {0.5: 1.0})


def test_the_area_relative_to_the_oracles():
    assert relative_area(0.6, 0.8) == pytest.approx(0.75)
    with pytest.raises(ValueError, match="oracle"):
        relative_area(0.6, 0.0)


def test_every_curve_of_a_table_begins_with_the_clean_value():
    table = {
        "corruption": ["none", "noise", "noise", "noise", "shuffle"],
        "modality": ["", "a", "a", "*", "a"],
        "level": [0.0, 0.5, 1.0, 1.0, 1.0],
        "value": [0.9, 0.8, 0.7, 0.6, None],
        "spread": [None, 0.01, 0.02, None, None],
    }
    assert curves_of(table) == {("noise", "a"): {0.0: 0.9, 0.5: 0.8, 1.0: 0.7}, ("noise", "*"): {0.0: 0.9, 1.0: 0.6}}


def test_a_table_without_the_clean_value_is_refused():
    with pytest.raises(ValueError, match="level 0"):
        curves_of({"corruption": ["noise"], "modality": ["a"], "level": [1.0], "value": [0.5]})


def test_boards_get_these_numbers_without_numpy_and_torch():
    code = (
        "import sys, mmbench.measures.robustness.curves, mmbench.measures.robustness.card; "
        "print(sorted({'numpy', 'torch', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
