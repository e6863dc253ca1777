"""Matched against shuffled pairs."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from mmbench.core.errors import MmbenchError


@pytest.mark.parametrize("parameters", [{}, {"rho": 0.5, "shared": 2, "dim": 5}, {"rho": 0.9, "shared": 1}])
def test_the_likelihood_ratio_reaches_the_ceiling(parameters, build, read, posterior):
    source = build("paired", **parameters, n_train=10, n_validation=10, n_test=20_000)
    inputs, target = read(source)
    score, odd = posterior("paired", inputs, **parameters)[:, 0].numpy(), target[:, 0].numpy() == 1
    assert odd.sum() == 10_000
    # The AUROC's standard error after DeLong et al. 1988, from each score's rank among the other kind.
    above = np.searchsorted(np.sort(score[~odd]), score[odd]) / (~odd).sum()
    below = 1 - np.searchsorted(np.sort(score[odd]), score[~odd]) / odd.sum()
    error = np.sqrt(above.var() / odd.sum() + below.var() / (~odd).sum())
    assert roc_auc_score(odd, score) == pytest.approx(source.ceiling, abs=3 * error)


def test_it_is_of_medium_difficulty(build):
    assert build("paired").ceiling == pytest.approx(0.9, abs=0.01)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # a dozen epochs are enough here
def test_a_small_network_on_both_views_gets_most_of_it(build, read):
    source = build("paired")
    (train, labels), (test, truth) = read(source, "train"), read(source, "test")
    x, y = (torch.cat(list(inputs.values.values()), 1).numpy() for inputs in (train, test))
    network = MLPClassifier((64, 64), max_iter=12, random_state=0).fit(x, labels[:, 0])
    assert roc_auc_score(truth, network.predict_proba(y)[:, 1]) > 0.5 + 0.9 * (source.ceiling - 0.5)


@pytest.mark.parametrize("view", ["first", "second"])
def test_a_view_alone_says_nothing(view, build, read, posterior):
    source = build("paired")
    (train, labels), (test, truth) = read(source, "train"), read(source, "test")
    model = HistGradientBoostingClassifier(max_iter=30).fit(train.values[view], labels[:, 0])
    assert roc_auc_score(truth, model.predict_proba(test.values[view])[:, 1]) == pytest.approx(0.5, abs=0.03)
    other = next(name for name in test.names if name != view)
    assert (posterior("paired", test.without(other)) == 0.5).all()


def test_more_shared_coordinates_than_coordinates_are_refused(build):
    with pytest.raises(MmbenchError, match="raise dim to 9"):
        build("paired", shared=9)
