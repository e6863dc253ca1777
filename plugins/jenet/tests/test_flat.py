"""A modality as one vector: nothing is lost, and padding is nothing."""

import pytest
import torch
from mmbench_jenet.flat import flat_size, flatten

from mmbench import Modality


@pytest.mark.parametrize("name", ["vector", "image", "spectrogram", "sequence", "frames", "tokens"])
def test_size(make_task, make_split, name):
    task = make_task("classification", name)
    modality, inputs = task.modalities[0], make_split(task, 4).inputs
    (values,) = inputs.values.values()
    flat = flatten(modality, values, inputs.lengths.get(modality.name), torch.float32)
    assert flat.shape == (4, flat_size(modality))
    assert name == "tokens" or torch.equal(flat, values.reshape(4, -1))


def test_padding_is_zero():
    values, lengths = torch.ones(2, 3, 2), torch.tensor([1, 3])
    flat = flatten(Modality("x", "sequence", (3, 2)), values, lengths, torch.float32)
    assert flat.tolist() == [[1, 1, 0, 0, 0, 0], [1] * 6]


def test_tokens_are_counted():
    words = Modality("words", "tokens", (5,), vocabulary=4)
    tokens, lengths = torch.tensor([[1, 3, 3, 2, 0], [2, 2, 2, 1, 1]]), torch.tensor([4, 3])
    counts = flatten(words, tokens, lengths, torch.float64)
    assert counts.tolist() == [[0, 1, 1, 2], [0, 0, 3, 0]]
    assert counts.dtype == torch.float64
