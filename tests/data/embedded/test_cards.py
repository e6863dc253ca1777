"""Cards say what their builders do, and cost nothing to read."""

import subprocess
import sys
from dataclasses import replace

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import bind, parameters_of
from mmbench.core.training import Training
from mmbench.data.cache import fingerprint
from mmbench.data.embedded import mmbench_datasets
from mmbench.data.source import SPLITS
from mmbench.registry import load

NAMES = [card.name for card in mmbench_datasets()]
KNOWN = [card.name for card in mmbench_datasets() if card.posterior]
SIZED = KNOWN  # generated datasets, which take n_train

SMALL = {"n_train": 50, "n_validation": 20, "n_test": 30}


def test_reading_the_cards_imports_nothing_heavy():
    code = (
        "import sys, mmbench.data.embedded as e; assert len(e.mmbench_datasets()) >= 12;"
        "print([m for m in ('numpy', 'torch', 'datasets', 'sklearn', 'scipy', 'pyarrow') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_a_card_describes_what_its_builder_makes(name, cards, build):
    card, source = cards[name], build(name)
    assert source.task == card.task
    assert tuple(len(source.splits[split]) for split in SPLITS) == card.sizes
    assert (source.ceiling is None) == (card.ceiling is None)
    if card.ceiling is not None:
        assert source.ceiling == pytest.approx(card.ceiling, abs=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_card_sets_is_allowed(name, cards):
    card = cards[name]
    parameters = parameters_of(load(card), name)
    bind(parameters, card.preset, name)
    for change in card.protocols.values():
        assert isinstance(change, str) or bind(parameters, change, name)
    Training().override(**card.training)  # fails on a name that it does not have


@pytest.mark.parametrize("name", KNOWN)
def test_the_posterior_takes_the_parameters_of_the_builder(name, cards, build, read, posterior):
    card = cards[name]
    defaults = {key: parameter.default for key, parameter in parameters_of(load(card), name).items()}
    own = parameters_of(load(replace(card, build=card.posterior)), name)
    assert {key: parameter.default for key, parameter in own.items()}.items() <= defaults.items()
    inputs, _ = read(build(name, **SMALL))
    assert posterior(name, inputs, **{**defaults, **card.preset}).equal(posterior(name, inputs))


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_makes_the_content(name, cards):
    make, sizes = load(cards[name]), SMALL if name in SIZED else {}
    content = [fingerprint(make(**cards[name].preset, **sizes, seed=seed).splits) for seed in (3, 3, 4)]
    assert content[0] == content[1] != content[2]


@pytest.mark.parametrize("name", SIZED)
def test_the_test_split_does_not_depend_on_the_size_of_train(name, build, read):
    longer, shorter = (read(build(name, **{**SMALL, "n_train": rows})) for rows in (50, 70))
    assert longer[1].equal(shorter[1])
    assert all(longer[0].values[m].equal(shorter[0].values[m]) for m in longer[0].names)


@pytest.mark.parametrize("name", SIZED)
def test_splits_share_no_row(name, build, read):
    source = build(name, **SMALL)
    first = source.task.names[0]
    rows = [tuple(row.flatten().tolist()) for split in SPLITS for row in read(source, split)[0].values[first]]
    assert len(set(rows)) == len(rows) == 100


@pytest.mark.parametrize("name", [*SIZED, "avdigits"])
def test_values_are_rounded_to_four_decimals(name, build, read):
    inputs, _ = read(build(name, **(SMALL if name in SIZED else {})))
    for values in inputs.values.values():
        assert (values - (values * 1e4).round() / 1e4).abs().max() < 1e-6


def test_no_two_generated_datasets_share_their_noise(build, read):
    first, second = (read(build(f"pid-{name}", **SMALL))[0].values["first"] for name in ("unique", "synergy"))
    assert (first - second).abs().min() > 0


@pytest.mark.parametrize(("name", "given"), [("pid-synergy", {"missing": "1"}), ("pid-unique", {"prior": "0"})])
def test_values_out_of_bounds_are_refused(name, given, cards):
    with pytest.raises(MmbenchError, match="is not allowed"):
        bind(parameters_of(load(cards[name]), name), given, name)
