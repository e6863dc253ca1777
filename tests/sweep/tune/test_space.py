"""What is searched of a method, and how."""

from typing import Annotated, Literal

import pytest

from mmbench.core.cards import MethodCard
from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Range, parameters_of
from mmbench.registry import installed
from mmbench.sweep.choices import MethodChoice, choose_method
from mmbench.sweep.tune.space import TRAINING, Numbers, Options, dimension_of, nothing_to_tune, space_of, with_values

LATE = {"width": "8 to 512 log", "hidden": "0 to 512", "lr": "0.0001 to 0.01 log", "weight_decay": "1e-06 to 0.01 log"}


def words(text: str) -> dict[str, str]:
    return {name: str(found) for name, found in space_of(choose_method(installed(), text)).items()}


def build(
    task: object,
    *,
    share: Annotated[float, Range(0, 1, log=True)] = 0.5,
    depth: Annotated[int, Range(1, 4)] | None = None,
    gate: bool = True,
    rule: Literal["mean", "max"] = "mean",
    open_end: Annotated[float, Range(0, float("inf"))] = 1.0,
    free: float = 1.0,
    name: str = "",
) -> None:
    """A builder with parameters of every sort."""


def test_numbers_with_a_range_literals_and_bools_are_searched_and_nothing_else():
    found = {name: dimension_of(parameter) for name, parameter in parameters_of(build, "build").items()}
    assert found == {
        "share": Numbers(Range(0, 1)),  # there is no logarithm of 0
        "depth": Numbers(Range(1, 4), whole=True),
        "gate": Options((False, True)),
        "rule": Options(("mean", "max")),
        "open_end": None,
        "free": None,
        "name": None,
    }


def test_a_method_has_its_own_parameters_and_the_trainers_options():
    assert words("late") == LATE
    assert list(words("hybrid")) == ["auxiliary", *LATE]


def test_what_is_set_in_brackets_or_by_the_card_is_not_searched():
    assert list(words("late[width=32,lr=1e-3]")) == ["hidden", "weight_decay"]
    assert "level" not in words("early-data")
    late = choose_method(installed(), "late[width=64]")  # the default, which a spec leaves out
    assert list(space_of(late, {"width": 64})) == ["hidden", "lr", "weight_decay"]


def test_floors_that_are_deterministic_and_ceilings_have_nothing_to_tune():
    for name in ("prior", "linear", "boosting", "oracle"):
        assert words(name) == {}
        assert nothing_to_tune(choose_method(installed(), name))
    assert words("unimodal") == LATE


def test_the_trainer_has_no_part_in_a_deterministic_method():
    boosting = installed().method("boosting")
    card = MethodCard("boosted", "a method, not a floor", boosting.build, deterministic=True)
    assert list(space_of(MethodChoice(card))) == ["trees", "shrinkage", "leaves", "columns"]


def test_values_make_the_choice_that_brackets_would_make():
    late = choose_method(installed(), "late[hidden=0]")
    found = with_values(late, {"width": 32, "lr": 0.002})
    assert found == choose_method(installed(), "late[hidden=0,width=32,lr=2e-3]")
    assert with_values(late, {"width": 64}) == late
    with pytest.raises(MmbenchError, match="width=4 is not allowed"):
        with_values(late, {"width": 4})


def test_searched_numbers_are_rounded_and_stay_within_their_bounds():
    numbers = Numbers(Range(0.12345, 0.5))
    assert [numbers.read(value) for value in (0.12345, 0.234567, 0.5)] == [0.12345, 0.235, 0.5]
    assert Numbers(Range(8, 512, log=True), whole=True).read(511) == 511
    assert all(bounds.log and bounds.low > 0 for bounds in TRAINING.values())
