"""What holds for the card of every installed measure of a fitted method."""

import pytest

from mmbench.core.parameters import bind, parameters_of
from mmbench.registry import installed, load
from mmbench.sweep.protocol import PROTOCOLS

CARDS = [card for card in installed().measures.values() if card.needs == "method"]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_protocols_change_parameters_that_there_are(card):
    declared = parameters_of(load(card), card.name)
    assert set(card.protocols) <= set(PROTOCOLS)
    for changes in card.protocols.values():
        assert bind(declared, changes, card.name) == changes


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_no_two_scores_have_the_same_name(card):
    names = [score.name for score in card.scores]
    assert len(set(names)) == len(names)
