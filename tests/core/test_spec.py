"""Specs read what people type, and their file names are safe and never shared."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mmbench.core.errors import MmbenchError
from mmbench.core.spec import Spec, parse_spec, split_outside_brackets


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("late", "late", {}),
        ("  late ", "late", {}),
        ("late[]", "late", {}),
        ("late[width=32]", "late", {"width": "32"}),
        ("late[ width = 32 , lr=3e-4 ]", "late", {"width": "32", "lr": "3e-4"}),
        ("pid-synergy[delta=0.5]", "pid-synergy", {"delta": "0.5"}),
        ("x[betas=(0.9, 0.99),a=1]", "x", {"betas": "(0.9, 0.99)", "a": "1"}),
        ("x[loss=supcon(t=0.1,q=[1,2]):0.1+smooth,a=1]", "x", {"loss": "supcon(t=0.1,q=[1,2]):0.1+smooth", "a": "1"}),
        ("x[encoder=image:depthwise]", "x", {"encoder": "image:depthwise"}),
        ("x[a=b=c]", "x", {"a": "b=c"}),
    ],
)
def test_what_people_type(text, name, parameters):
    assert parse_spec(text) == Spec(name, parameters)


@pytest.mark.parametrize(
    "text",
    ["", "[a=1]", "late[", "late]", "late[a=1", "late[a=1]x", "late[a]", "late[=1]", "late[a=]", "late[a=1,]",
     "late[1a=2]", "la te", "late[a=(1]", "late[a=1)]", "late[a=)1(]", "late[a=(1]),b=[2)]", "late[a=1]]", "-late"],
)  # fmt: skip
def test_what_cannot_be_read_is_told(text):
    with pytest.raises(MmbenchError, match=r"cannot read .*: write|brackets do not match in"):
        parse_spec(text)


def test_a_parameter_given_twice_is_told():
    with pytest.raises(MmbenchError, match="'a' is given twice"):
        parse_spec("late[a=1,b=2,a=1]")


def test_parameters_print_in_one_order():
    assert str(Spec("x", {"b": "2", "a": "1"})) == str(Spec("x", {"a": "1", "b": "2"})) == "x[a=1,b=2]"
    assert str(Spec("x")) == "x"


def test_separators_inside_brackets_do_not_separate():
    assert list(split_outside_brackets("a,(b,c),[d,{e,f}]", ",")) == ["a", "(b,c)", "[d,{e,f}]"]
    assert list(split_outside_brackets("  ", ",")) == []
    assert list(split_outside_brackets("a+b", ",")) == ["a+b"]


def test_plain_slugs_can_be_read():
    assert Spec("late").slug == "late"
    assert parse_spec("late[width=32,lr=0.001]").slug == "late+lr=0.001+width=32"


names = st.from_regex(r"[a-c][a-c0-1_.:/-]{0,3}", fullmatch=True)
atoms = st.text(st.sampled_from("1a+=-_. :/é'\\"), min_size=1, max_size=4)
# commas and square brackets inside brackets alone, as the text of a spec allows them
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({','.join(parts)})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"[{','.join(parts)}]"),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=4,
)


@st.composite
def specs(draw):
    inside = draw(st.dictionaries(st.sampled_from("abc"), values, max_size=3))
    text = ",".join(f"{key}={value}" for key, value in inside.items())
    assume(all(value.strip() for value in inside.values()))
    return parse_spec(f"{draw(names)}[{text}]")


@given(specs())
def test_what_is_printed_can_be_read_again(spec):
    assert parse_spec(str(spec)) == spec


@given(specs())
def test_a_slug_is_a_safe_file_name(spec):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+=-]{0,119}", spec.slug)


def test_a_slug_of_a_long_spec_is_short():
    long = [Spec("x", {"a": "1" * 500 + end}) for end in "23"]
    assert all(len(spec.slug) < 120 for spec in long)
    assert long[0].slug != long[1].slug


@given(specs(), specs())
@example(parse_spec("x[a=1+b=2]"), parse_spec("x[a=1,b=2]"))
@example(parse_spec("x[a=(1,2)]"), parse_spec("x[a=(1+2)]"))
@example(parse_spec("x[a=[1]]"), parse_spec("x[a=+1]"))
@example(parse_spec("x[a=_]"), parse_spec("x[a=:]"))
@example(parse_spec("a/b"), parse_spec("a:b"))
def test_distinct_specs_have_distinct_slugs(first, second):
    assert (first.slug == second.slug) == (first == second)
