"""The cards: light, and true of what they name."""

import subprocess
import sys

import pytest
from mmbench_regularised import mmbench_terms

from mmbench import FusionOutput, MmbenchError, Term
from mmbench.registry import installed, load
from mmbench.sweep.choices import builder_parameters, choose_method

CARDS = {card.name: card for card in mmbench_terms()}
FIELDS = set(FusionOutput.__dataclass_fields__)


@pytest.mark.parametrize("name", CARDS)
def test_names_a_builder_with_typed_parameters(make_task, name):
    assert builder_parameters(load(CARDS[name]), name)
    assert isinstance(load(CARDS[name])(make_task("classification", "vector vector")), Term)
    assert set(CARDS[name].needs) <= FIELDS


@pytest.mark.parametrize("name", CARDS)
def test_tasks_that_the_card_leaves_out_are_refused(make_task, name):
    build = load(CARDS[name])
    for kind in ("classification", "multilabel", "verification", "anomaly", "regression"):
        task = make_task(kind, "vector vector")
        if kind in CARDS[name].tasks:
            build(task)
        else:
            with pytest.raises(MmbenchError, match=f"{name} reads labels"):
                build(task)


def test_all_are_installed_and_can_be_asked_for_with_any_method():
    registry = installed()
    assert set(CARDS) <= set(registry.terms)
    asked = "late[loss=supcon(temperature=0.1):0.1+adaptive-smooth(strength=2)+odds-barrier(strength=3):0.01]"
    chosen = choose_method(registry, asked).terms
    assert {(term.card.name, term.weight) for term in chosen} == {
        ("supcon", 0.1),
        ("adaptive-smooth", 1.0),
        ("odds-barrier", 0.01),
    }


def test_importing_the_cards_is_light():
    heavy = "import sys, mmbench_regularised; print(*{'torch', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
