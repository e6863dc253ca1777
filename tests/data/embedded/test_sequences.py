"""The two sequence problems."""

from math import sqrt

import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from mmbench.core.errors import MmbenchError
from mmbench.core.parameters import bind, parameters_of
from mmbench.registry import load

SIZES = {"n_train": 4000, "n_validation": 10, "n_test": 4000}


@pytest.mark.parametrize(
    ("name", "parameters", "accuracy"),
    [("asynchronous", {}, 0.971), ("asynchronous", {"events": 6}, 0.959), ("lagged", {}, 0.903)],
)
def test_bayes_accuracies(name, parameters, accuracy, build):
    assert build(name, **parameters, **SIZES).ceiling == pytest.approx(accuracy, abs=0.002)


def test_events_are_as_described(build, read):
    inputs, target = read(build("asynchronous", **SIZES))
    query, events = inputs.values["query"], inputs.values["events"]
    assert (query[..., 0].sum(1) == 1).all()
    flags = events[..., 0] == 1
    assert (flags.sum(1) == 4).all()
    assert (events[~flags] == 0).all()
    torch.testing.assert_close(
        events[flags][:, 1:4].norm(dim=1), torch.full((4 * 4000,), sqrt(3)).double(), atol=1e-3, rtol=0
    )
    assert (events[..., -1].sum(1) == 0).all()
    assert set(events[flags][:, -1].tolist()) == {-1.0, 1.0}
    assert target.double().mean().item() == pytest.approx(0.5, abs=0.03)
    assert flags.double().mean(0).tolist() == pytest.approx([4 / 12] * 12, abs=0.03)


def test_the_second_series_follows_at_the_lag_of_its_class(build, read):
    inputs, target = read(build("lagged", **SIZES))
    first, second = (values.squeeze(-1) for values in inputs.values.values())
    for label, lag in enumerate((0, 2, 4, 6)):
        x, y = first[target == label], second[target == label]
        for other in (0, 2, 4, 6):
            correlation = (x[:, : 24 - other] * y[:, other:]).mean().item()
            assert correlation == pytest.approx(0.5 if other == lag else 0.0, abs=0.04)
        assert y.var(0).tolist() == pytest.approx([1.0] * 24, abs=0.25)


@pytest.mark.parametrize(
    ("name", "modality", "chance"),
    [
        ("asynchronous", "query", 0.5),
        ("asynchronous", "events", 0.5),
        ("lagged", "first", 0.25),
        ("lagged", "second", 0.25),
    ],
)
def test_a_learner_of_one_modality_stays_at_chance(name, modality, chance, build, read):
    source = build(name, **SIZES)
    (train, labels), (test, truth) = read(source, "train"), read(source, "test")
    model = HistGradientBoostingClassifier(max_iter=15).fit(train.values[modality].flatten(1), labels)
    right = (torch.from_numpy(model.predict(test.values[modality].flatten(1))) == truth).double()
    assert right.mean().item() == pytest.approx(chance, abs=4 * sqrt(chance * (1 - chance) / 4000))


@pytest.mark.parametrize(
    ("name", "given", "advice"),
    [
        ("asynchronous", {"events": 3}, "take an even number"),
        ("asynchronous", {"events": 14}, "at most frames"),
        ("lagged", {"lags": (2,)}, "two or more"),
        ("lagged", {"lags": (2, 2)}, "different lags"),
        ("lagged", {"lags": (0, 24)}, "from 0 to 23"),
        ("lagged", {"lags": (-1, 2)}, "from 0 to 23"),
    ],
)
def test_what_cannot_be_drawn_is_refused(name, given, advice, build):
    with pytest.raises(MmbenchError, match=advice):
        build(name, **given)


def test_lags_can_be_given_as_text(cards, build, read):
    given = bind(parameters_of(load(cards["lagged"]), "lagged"), {"lags": "0 3 5"}, "lagged")
    source = build("lagged", **given, **SIZES)
    assert source.task.outputs == 3
    assert set(read(source)[1].tolist()) == {0, 1, 2}
