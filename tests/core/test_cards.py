"""Cards are checked when they are made, and say why a method cannot do a task."""

from dataclasses import replace

import pytest

from mmbench.core.cards import DatasetCard, MeasureCard, MethodCard, TermCard
from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import Task

VECTORS = tuple(Modality(name, "vector", (4,)) for name in "abc")
TASK = Task("classification", 2, VECTORS[:2])
CARD = MethodCard("x", "a method", "package.module:build")


def test_a_method_takes_what_it_does_not_refuse():
    assert CARD.refuses(TASK) == ""
    assert CARD.refuses(TASK, missing=True) == ""
    assert replace(CARD, needs=("posterior",)).refuses(TASK, offers=("posterior",)) == ""


@pytest.mark.parametrize(
    ("change", "missing", "reason"),
    [
        ({"tasks": ("regression", "anomaly")}, False, "does regression, anomaly, not classification"),
        ({"kinds": ("image", "tokens")}, False, "takes image, tokens, not vector"),
        ({"modalities": (3, 4)}, False, "takes 3 to 4 modalities, not 2"),
        ({"modalities": (1, 1)}, False, "takes 1 to 1 modalities, not 2"),
        ({"missing": False}, True, "needs every modality of every sample"),
        ({"needs": ("posterior",)}, False, "needs a known posterior"),
    ],
)
def test_a_refusal_says_why(change, missing, reason):
    assert replace(CARD, **change).refuses(TASK, missing=missing) == reason


def test_complete_data_suit_a_method_that_needs_every_modality():
    assert replace(CARD, missing=False).refuses(TASK, missing=False) == ""


CARDS = [
    lambda name, build: MethodCard(name, "", build),
    lambda name, build: TermCard(name, "", build),
    lambda name, build: DatasetCard(name, "", build, TASK),
    lambda name, build: MeasureCard(name, "", build, ()),
]


@pytest.mark.parametrize("make", CARDS)
@pytest.mark.parametrize("build", ["", "module", "module:", ":build", "module.build"])
def test_a_build_that_names_no_callable_is_told(make, build):
    with pytest.raises(MmbenchError, match=f"'x': build is 'package.module:callable', not '{build}'"):
        make("x", build)


@pytest.mark.parametrize("make", CARDS)
@pytest.mark.parametrize("name", ["", "a b", "a[b]", "a,b", "-a", "a+b", "naïve", "a\n"])
def test_a_name_that_no_spec_could_hold_is_told(make, name):
    with pytest.raises(MmbenchError, match=r"name .*: use letters"):
        make(name, "m:f")


@pytest.mark.parametrize("make", CARDS)
def test_a_name_may_hold_every_sign_that_the_message_allows(make):
    assert make("1a-b_c.d/e:f", "m:f").name == "1a-b_c.d/e:f"


def test_a_dataset_offers_its_posterior_if_it_knows_one():
    card = DatasetCard("d", "", "m:f", TASK)
    assert card.offers == ()
    assert replace(card, posterior="m:posterior").offers == ("posterior",)
