"""The common grid: what it is, and that placing on it loses and invents nothing."""

import pytest
import torch
import torch.nn.functional as F
from mmbench_levels.early import Early
from mmbench_levels.grid import common_grid
from mmbench_levels.placing import Placing, flatten

from mmbench import Inputs, Modality, Task


def sequence(name, frames, rate=1.0, channels=1):
    return Modality(name, "sequence", (frames, channels), rate=rate)


def combined(task, values, lengths=None, present=None):
    model = Early(task, level="data")
    rows = len(next(iter(values.values())))
    if present is None:
        present = torch.ones(rows, len(task.modalities), dtype=torch.bool)
    return model, *model.on_grid(Inputs(values, present, lengths or {}))


@pytest.mark.parametrize(
    ("modalities", "shape"),
    [
        ("vector vector", (10,)),
        ("image wide", (3, 8, 12)),
        ("spectrogram image vector", (8, 8, 10)),
        ("sequence sequence", (6, 6)),
        ("sequence fast vector", (12, 10)),
        ("frames vector", (4, 7, 6, 6)),
        ("frames sequence vector", (6, 80)),
        ("tokens tokens", (22,)),
        ("image sequence", (128 + 18,)),
        ("tokens vector image", (11 + 5 + 128,)),
    ],
)
def test_shape_of_the_grid(make_task, make_split, modalities, shape):
    task = make_task("classification", modalities)
    values, _ = Early(task).on_grid(make_split(task, 4).inputs)
    assert values.shape == (4, *shape)


@pytest.mark.parametrize(
    ("modalities", "axis"), [("vector vector", 1), ("image image", 1), ("sequence sequence", 2), ("frames frames", 2)]
)
def test_equal_grids_are_plainly_concatenated(make_task, make_split, modalities, axis):
    task = make_task("classification", modalities)
    inputs = make_split(task, 8).inputs
    values, lengths = Early(task).on_grid(inputs)
    assert torch.equal(values, torch.cat(list(inputs.values.values()), axis))
    if inputs.lengths:
        assert torch.equal(lengths, torch.stack(list(inputs.lengths.values())).amax(0))


def test_one_clock_for_two_rates():
    task = Task("classification", 2, (sequence("slow", 2, 1.0), sequence("fast", 4, 2.0)))
    slow, fast = torch.tensor([[[1.0], [3.0]]]), torch.arange(4.0).reshape(1, 4, 1)
    lengths = {"slow": torch.tensor([2]), "fast": torch.tensor([4])}
    _, values, length = combined(task, {"slow": slow, "fast": fast}, lengths)
    assert values[0, :, 0].tolist() == [1.0, 2.0, 3.0, 3.0]  # the last frame is held for its half second
    assert torch.equal(values[..., 1:], fast)
    assert length.tolist() == [4]


def test_length_ends_a_sequence_and_the_longest_ends_the_row():
    task = Task("classification", 2, (sequence("slow", 4, 1.0), sequence("fast", 8, 2.0)))
    slow, fast = torch.tensor([1.0, 3.0, 0, 0]).reshape(1, 4, 1), torch.ones(1, 8, 1)
    lengths = {"slow": torch.tensor([2]), "fast": torch.tensor([6])}
    _, values, length = combined(task, {"slow": slow, "fast": fast}, lengths)
    assert values[0, :, 0].tolist() == [1, 2, 3, 3, 0, 0, 0, 0]  # never interpolated towards padding
    assert values[0, :, 1].tolist() == [1] * 6 + [0] * 2
    assert length.tolist() == [6]


def test_grid_spans_the_longest_duration():
    grid = common_grid((sequence("long", 10, 1.0), sequence("short", 20, 10.0)))
    assert (grid.steps, grid.rate) == (20, 2.0)


def test_odd_rates_do_not_add_a_frame():
    view = sequence("x", 30, 29.97)
    grid = common_grid((view, sequence("y", 60, 59.94)))
    _, real = Placing(view, grid)(torch.ones(1, 30, 1), torch.tensor([29]))
    assert real.sum() == 58


def test_absent_sequences_do_not_lengthen_a_row():
    task = Task("classification", 2, (sequence("a", 5), sequence("b", 5), Modality("v", "vector", (2,))))
    values = {"a": torch.zeros(3, 5, 1), "b": torch.ones(3, 5, 1), "v": torch.full((3, 2), 2.0)}
    lengths = {"a": torch.tensor([5, 5, 5]), "b": torch.tensor([3, 3, 3])}
    present = torch.tensor([[False, True, True], [True, True, True], [False, False, True]])
    _, _, length = combined(task, values, lengths, present)
    assert length.tolist() == [3, 5, 5]


def test_token_stands_where_a_modality_is_absent(make_task, make_split):
    task = make_task("classification", "frames sequence vector")
    model, split = Early(task), make_split(task, 16, missing=True)
    with torch.no_grad():
        for i, token in enumerate(model.absent):
            token.fill_(10.0 + i)
    values, _ = model.on_grid(split.inputs)
    for i, block in enumerate(values.split([len(token) for token in model.absent], 2)):
        gone = ~split.inputs.present[:, i]
        assert gone.any()
        assert (block[gone] == 10.0 + i).all()
        assert not (block[~gone] == 10.0 + i).any()


def test_images_are_resized_and_vectors_repeated():
    task = Task(
        "classification",
        2,
        (Modality("a", "image", (1, 4, 2)), Modality("b", "image", (2, 2, 6)), Modality("v", "vector", (1,))),
    )
    a, b, v = torch.randn(3, 1, 4, 2), torch.randn(3, 2, 2, 6), torch.randn(3, 1)
    _, values, _ = combined(task, {"a": a, "b": b, "v": v})
    assert torch.equal(values[:, :1], F.interpolate(a, (4, 6), mode="bilinear"))
    assert torch.equal(values[:, 1:3], F.interpolate(b, (4, 6), mode="bilinear"))
    assert torch.equal(values[:, 3:], v[..., None, None].expand(3, 1, 4, 6))


def test_tokens_are_counted():
    words = Modality("words", "tokens", (5,), vocabulary=4)
    counts = flatten(torch.tensor([[1, 3, 3, 2, 0], [2, 2, 2, 1, 1]]), torch.tensor([4, 3]), words, torch.float64)
    assert counts.tolist() == [[0, 1, 1, 2], [0, 0, 3, 0]]
    assert counts.dtype == torch.float64


def test_encoder_of_the_grid_is_the_one_asked_for():
    modalities = (Modality("v", "vector", (2,)), Modality("i", "image", (1, 4, 4), encoder="special"))
    assert common_grid(modalities).encoder == "special"
    assert common_grid(modalities[:1]).encoder == ""
