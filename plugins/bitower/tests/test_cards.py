"""The cards: light, and true of what they name."""

import subprocess
import sys

import pytest
from mmbench_bitower import mmbench_methods

from mmbench.registry import installed, load
from mmbench.sweep.choices import builder_parameters

CARDS = {card.name: card for card in mmbench_methods()}


@pytest.mark.parametrize("name", CARDS)
def test_names_a_builder_with_typed_parameters(name):
    parameters = builder_parameters(load(CARDS[name]), name)  # refuses reserved names
    assert set(CARDS[name].preset) <= set(parameters)


def test_all_are_methods_and_installed():
    assert {card.role for card in CARDS.values()} == {"method"}
    assert set(CARDS) <= set(installed().methods)


def test_importing_the_cards_is_light():
    heavy = "import sys, mmbench_bitower; print(*{'torch', 'sklearn', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
