"""The cards: light, and true of what they name."""

import subprocess
import sys

import pytest
from mmbench_stcnet import mmbench_methods

from mmbench.registry import installed, load
from mmbench.sweep.choices import builder_parameters

CARDS = {card.name: card for card in mmbench_methods()}


@pytest.mark.parametrize("name", CARDS)
def test_names_a_builder_with_typed_parameters(name):
    parameters = builder_parameters(load(CARDS[name]), name)  # refuses reserved names
    assert set(CARDS[name].preset) <= set(parameters)


def test_are_installed_and_say_that_they_bring_their_encoder():
    assert set(CARDS) <= set(installed().methods)
    assert all(card.own_encoder for card in CARDS.values())


def test_importing_the_cards_is_light():
    heavy = "import sys, mmbench_stcnet; print(*{'torch', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
