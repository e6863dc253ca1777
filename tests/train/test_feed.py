"""Batches are the rows that were asked for, wherever a split lies."""

import pytest
import torch
from torch.utils import _pytree as pytree

from mmbench.train.feed import Feed

ELSEWHERE = torch.device("cpu", 0)  # another name of the same place: batches are sent there by the thread


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(pytree.tree_leaves(one), pytree.tree_leaves(other), strict=True))


@pytest.fixture
def split(make_task, make_split):
    return make_split(make_task("classification", "vector sequence"), 20)


@pytest.mark.parametrize("device", [None, ELSEWHERE])
def test_batches_are_the_rows_of_the_orders_one_seed_after_the_other(split, device):
    orders = torch.stack([torch.randperm(20), torch.arange(20)])
    batches = list(Feed(split, device).batches(orders, 6, 3))
    assert [index.tolist() for _, index in batches] == [orders[:, k : k + 6].tolist() for k in (0, 6, 12)]
    assert all(same(batch, split.take(index.reshape(-1))) for batch, index in batches)


@pytest.mark.parametrize("device", [None, ELSEWHERE])
@pytest.mark.parametrize("rows", [1, 7, 20, 64])
def test_blocks_hold_every_row_once_in_order(split, device, rows):
    blocks = list(Feed(split, device).blocks(rows))
    assert torch.equal(torch.cat([index for _, index in blocks]), torch.arange(20))
    assert all(same(block, split.take(index)) for block, index in blocks)
    assert same(Feed(split, device).first(rows), blocks[0][0])


def test_no_batch_at_all_is_no_error(split):
    assert list(Feed(split, ELSEWHERE).batches(torch.arange(20)[None], 32, 0)) == []


def test_an_error_of_a_fetch_reaches_the_training(split):
    with pytest.raises(IndexError):
        list(Feed(split, ELSEWHERE).batches(torch.full((1, 8), 99), 4, 2))


def test_training_on_streamed_data_gives_the_same_bits(toys, monkeypatch):
    resident = toys.fit(toys.late, toys.train, toys.validation).predict(toys.validation)
    plain = Feed.__init__
    monkeypatch.setattr(Feed, "__init__", lambda self, split, device=None: plain(self, split, ELSEWHERE))
    assert torch.equal(toys.fit(toys.late, toys.train, toys.validation).predict(toys.validation), resident)
