"""What the builders share."""

import numpy as np
import pytest

from mmbench.data.draws import deal, rounded, stream
from mmbench.data.embedded._draws import bases


def test_streams_depend_on_seed_and_name_alone():
    draws = {key: stream(*key).random() for key in ((0, "train"), (0, "test"), (1, "train"))}
    assert len(set(draws.values())) == 3
    assert stream(0, "train").random() == draws[0, "train"]


@pytest.mark.parametrize("dim", [1, 3, 32])
def test_bases_are_orthogonal_and_differ(dim):
    q = bases(0, dim)
    np.testing.assert_allclose(q @ q.transpose(0, 2, 1), np.broadcast_to(np.eye(dim), q.shape), atol=1e-12)
    if dim > 1:
        assert abs(q[0] - q[1]).max() > 0.1


@pytest.mark.parametrize("sizes", [(60, 20, 20), (33, 33, 34), (90, 9, 1)])
def test_rows_are_dealt_once_each_and_in_proportion(sizes):
    labels = np.repeat([0, 1, 2], [70, 20, 10])
    parts = deal(np.random.default_rng(0), labels, sizes)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(100))
    for part, size in zip(parts.values(), sizes, strict=True):
        assert len(part) == size
        assert (abs(np.bincount(labels[part], minlength=3) - size * np.array([0.7, 0.2, 0.1])) < 2).all()


def test_splits_that_do_not_add_up_are_an_error():
    with pytest.raises(ValueError, match="do not add up to 5 rows"):
        deal(np.random.default_rng(0), np.zeros(5), (1, 1, 1))


def test_rounding_forgets_the_last_bits_and_the_sign_of_zero():
    values = rounded(np.array([1.00004, 1.00004 * (1 + 2e-16), -1e-9]))
    assert values[0] == values[1] == np.float32(1.0)
    assert not np.signbit(values[2])
