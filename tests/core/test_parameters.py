"""Hyper-parameters are read from a builder's signature, typed, bounded, and in one form only."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import Range, bind, parameters_of


def build(
    task,
    *,
    width: Annotated[int, Range(8, 512, log=True)] = 64,
    rate: Annotated[float, Range(0, 1)] = 0.1,
    delta: Annotated[float | None, Range(0.05, 10)] = None,
    depth: Annotated[int, Range(1, 9)] | None = None,
    rule: Literal["mean", "max"] = "mean",
    power: Literal[1, 2] = 1,
    gate: bool = False,
    name: str = "plain",
    maybe: str | None = None,
    sizes: tuple[int, ...] = (64, 32),
    betas: tuple[float, float] = (0.9, 0.999),
):
    return task


PARAMETERS = parameters_of(build, "method 'x'")


def read(**given):
    return bind(PARAMETERS, given, "method 'x'")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "32", 32),
        ("width", "8", 8),
        ("width", "512", 512),
        ("rate", "1", 1.0),
        ("rate", "3e-1", 0.3),
        ("delta", "0.5", 0.5),
        ("depth", "3", 3),
        ("rule", "max", "max"),
        ("power", "2", 2),
        ("gate", "true", True),
        ("gate", "YES", True),
        ("name", "other", "other"),
        ("name", "1", "1"),
        ("maybe", "text", "text"),
        ("sizes", "(16, 8)", (16, 8)),
        ("sizes", "(16,8)", (16, 8)),
        ("sizes", "(16 8)", (16, 8)),
        ("sizes", "16", (16,)),
        ("sizes", "(16,)", (16,)),
        ("sizes", "()", ()),
        ("betas", "(0.5, 0.9)", (0.5, 0.9)),
    ],
)
def test_text_becomes_a_value_of_the_declared_type(name, text, value):
    found = read(**{name: text})
    assert found == {name: value}
    assert type(found[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", "true"),
        ("width", True),
        ("width", "32.0"),
        ("width", "7"),
        ("width", "513"),
        ("width", "none"),
        ("rate", False),
        ("rate", "-0.1"),
        ("rate", "nan"),
        ("rate", float("nan")),
        ("delta", "0.01"),
        ("delta", "inf"),
        ("depth", "10"),
        ("rule", "median"),
        ("power", "3"),
        ("gate", "1"),
        ("gate", 1),
        ("sizes", "(16, x)"),
        ("sizes", [16, 8]),
        ("sizes", (16, 0.5)),
        ("sizes", (True,)),
        ("betas", "0.9"),
        ("betas", "(0.9, 0.99, 0.999)"),
        ("name", 3),
    ],
)
def test_a_value_that_is_not_allowed_is_told_with_what_is(name, value):
    with pytest.raises(MmbenchError) as caught:
        read(**{name: value})
    assert "method 'x'" in str(caught.value)
    assert f"{name}=" in str(caught.value)
    assert "is not allowed; it is" in str(caught.value)


def test_an_unbounded_number_is_finite_all_the_same():
    """Results refuse what is no number; better to hear it before the sweep."""

    def free(*, scale: float = 1.0):
        return scale

    with pytest.raises(MmbenchError, match="scale=inf is not allowed"):
        bind(parameters_of(free, "method 'x'"), {"scale": "inf"}, "method 'x'")


def test_the_message_shows_bounds_and_choices():
    with pytest.raises(MmbenchError, match=r"width=64 \(int, 8 to 512\)"):
        read(width="4")
    with pytest.raises(MmbenchError, match=r"rule=mean \(mean\|max\)"):
        read(rule="median")


def test_none_is_a_value_where_the_type_has_it():
    def chosen(*, delta: float | None = 0.5, maybe: str | None = "x"):
        return delta, maybe

    found = bind(parameters_of(chosen, "d"), {"delta": "none", "maybe": "None"}, "d")
    assert found == {"delta": None, "maybe": None}


@pytest.mark.parametrize(
    "given",
    [
        {"width": "64"},
        {"width": 64},
        {"rate": "0.10"},
        {"rate": "1e-1"},
        {"delta": "none"},
        {"depth": "none"},
        {"rule": "mean"},
        {"gate": "no"},
        {"sizes": "(64, 32)"},
        {"betas": "0.9 0.999"},
        {},
    ],
)
def test_a_value_equal_to_the_default_is_the_same_as_none_given(given):
    assert read(**given) == {}


def test_values_stand_in_one_order():
    assert list(read(width="32", rate="0.5", gate="yes")) == ["gate", "rate", "width"]


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(MmbenchError, match=r"method 'x' has no parameter 'widht'; did you mean width\?"):
        read(widht="3")


def test_what_is_printed_of_a_value_can_be_read_again():
    found = read(width="32", rate="0.25", sizes="16 8", betas="0.5 0.9", rule="max", gate="true", delta="0.5")
    assert read(**{name: str(value) for name, value in found.items()}) == found


@given(st.integers(8, 512))
def test_every_number_in_the_bounds_is_read_as_itself(number):
    assert read(width=str(number)).get("width", 64) == number


@given(st.floats(0, 1))
def test_every_share_is_read_as_itself(number):
    assert read(rate=repr(number)).get("rate", 0.1) == number


def test_only_keyword_arguments_are_hyper_parameters():
    assert "task" not in PARAMETERS
    assert PARAMETERS["width"].bounds == Range(8, 512, log=True)
    assert PARAMETERS["depth"].bounds == Range(1, 9)
    assert PARAMETERS["width"].default == 64


def test_a_class_is_a_builder_too():
    class Model:
        def __init__(self, task, *, width: int = 64):
            self.width = width

    assert parameters_of(Model, "m")["width"].type is int


def test_an_argument_without_type_or_default_is_told():
    def typeless(task, *, width=64):
        return width

    def without_default(task, *, width: int):
        return width

    for wrong in (typeless, without_default):
        with pytest.raises(MmbenchError, match=r"method 'x': argument 'width' .* needs a type and a default"):
            parameters_of(wrong, "method 'x'")
