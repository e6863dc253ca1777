"""Known sequences, moved, warped and shortened."""

from dataclasses import replace

import pytest
import torch
from torch.func import vmap

from mmbench import Inputs
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.nn.augment.sequences import frames_at

STEPS = 12
TASK = Task("classification", 2, (Modality("s", "sequence", (STEPS, 1)), Modality("g", "spectrogram", (1, 2, STEPS))))
TOKENS = Task("classification", 2, (Modality("t", "tokens", (STEPS,), vocabulary=99),))


def counting(lengths, dtype=torch.float32):
    """Sequences 1, 2, … up to their lengths, and a spectrogram whose columns are 1 to 12."""
    lengths = torch.tensor(lengths)
    steps = torch.arange(1, STEPS + 1).to(dtype)
    values = torch.where(torch.arange(STEPS) < lengths[:, None], steps, 0)[..., None]
    grams = steps.expand(len(lengths), 1, 2, STEPS)
    return Inputs({"s": values, "g": grams}, torch.ones(len(lengths), 2, dtype=torch.bool), {"s": lengths})


def read(inputs, row):
    return inputs.values["s"][row, : inputs.lengths["s"][row], 0].tolist()


def test_frames_lie_between_two_others():
    values = torch.tensor([[[0.0], [10.0], [40.0]]])
    found = frames_at(values, torch.tensor([[0.0, 0.5, 1.0, 1.25, 2.0]]))
    assert found[0, :, 0].tolist() == [0, 5, 10, 17.5, 40]


def test_a_shift_moves_whole_frames_and_repeats_the_edge(make, apply):
    lengths = [12, 7, 1] * 40
    inputs = counting(lengths)
    found = apply(make("shift", TASK, share=0.25), inputs)
    by = set()
    for row, length in enumerate(lengths):
        most = -(-length // 4)
        expected = {s: [min(max(t - s, 0), length - 1) + 1 for t in range(length)] for s in range(-most, most + 1)}
        fitting = [s for s, frames in expected.items() if frames == read(found, row)]
        assert fitting, read(found, row)
        by |= {(length, s) for s in fitting}
    assert {(12, s) for s in range(-3, 4)} < by, "both ways, by all numbers of frames"
    columns = found.values["g"][0]
    assert torch.equal(columns[0, 0], columns[0, 1]), "the rows of a spectrogram move together"
    moved = int(columns[0, 0, 6] - 7)
    assert columns[0, 0].tolist() == [min(max(t + 1 + moved, 1), 12) for t in range(12)]


def test_a_warp_is_smooth_monotone_and_keeps_the_ends(make, apply):
    lengths = [12, 5, 2, 1] * 50
    inputs = counting(lengths, torch.float64)
    found = apply(make("time-warp", TASK, strength=0.5, p=1.0), inputs)
    for row, length in enumerate(lengths):
        frames = torch.tensor(read(found, row))
        assert float(frames[0]) == pytest.approx(1, abs=1e-5)
        assert float(frames[-1]) == pytest.approx(length, abs=1e-5)
        tempo = frames.diff()
        assert length == 1 or float((tempo - 1).abs().max()) < 0.5 + 1e-3
    assert float((found.values["s"] - inputs.values["s"]).abs().max()) > 0.5


def test_a_stride_keeps_every_second_frame_from_a_random_start(make, apply):
    lengths = [12, 7, 2, 1] * 30
    found = apply(make("stride", TASK, p=1.0), counting(lengths))
    starts = set()
    for row, length in enumerate(lengths):
        frames = read(found, row)
        assert frames == list(range(int(frames[0]), length + 1, 2))
        starts.add((length, frames[0]))
    assert starts == {(12, 1), (12, 2), (7, 1), (7, 2), (2, 1), (2, 2), (1, 1)}
    assert torch.equal(found.values["g"], counting(lengths).values["g"])


def test_a_varied_stride_has_every_step(make, apply):
    found = apply(make("stride", TASK, step=3, vary=True, p=1.0), counting([12] * 90))
    steps = {tuple(torch.tensor(read(found, row)).diff().unique().tolist()) for row in range(90)}
    assert steps == {(1.0,), (2.0,), (3.0,)}


def test_a_crop_is_a_part_without_gaps(make, apply):
    lengths = [12, 3, 1] * 60
    found = apply(make("crop-time", TASK, least=0.5, p=1.0, only="s"), counting(lengths))
    seen = set()
    for row, length in enumerate(lengths):
        frames = read(found, row)
        assert frames == list(range(int(frames[0]), int(frames[0]) + len(frames)))
        assert frames[-1] <= length
        assert len(frames) >= length / 2
        seen.add((length, len(frames)))
    assert {kept for length, kept in seen if length == 12} == {6, 7, 8, 9, 10, 11, 12}


def test_tokens_are_cropped_too(make, apply):
    ids = torch.arange(1, STEPS + 1).expand(50, STEPS)
    inputs = Inputs({"t": ids}, torch.ones(50, 1, dtype=torch.bool), {"t": torch.full((50,), STEPS)})
    found = apply(make("crop-time", TOKENS, p=1.0), inputs)
    for values, length in zip(found.values["t"], found.lengths["t"], strict=True):
        assert set(values[:length].diff().tolist()) <= {1}
        assert not bool(values[length:].any())


def test_times_go_with_the_frames_that_are_kept(make, apply):
    inputs = counting([12, 6] * 10)
    inputs = replace(inputs, times={"s": inputs.values["s"][..., 0] * 10})
    for name in ("stride", "crop-time"):
        found = apply(make(name, TASK, p=1.0), inputs)
        assert torch.equal(found.times["s"], found.values["s"][..., 0] * 10)
    found = apply(make("shift", TASK), inputs)
    assert torch.equal(found.times["s"], inputs.times["s"])


def test_resampling_is_the_same_under_vmap(make):
    inputs, term = counting([12, 7, 3, 1]), make("time-warp", TASK)
    steps, length = torch.arange(12.0), inputs.lengths["s"][:, None].float()
    draws = torch.rand(5, 4, 2, 1)
    places = torch.stack([term.positions(steps, length, each)[0] for each in draws])
    found = vmap(lambda each: term.positions(steps, length, each)[0])(draws)
    torch.testing.assert_close(found, places)
    place = found.clamp(min=0).minimum(length - 1)
    frames = vmap(frames_at, in_dims=(None, 0))(inputs.values["s"], place)
    torch.testing.assert_close(frames[2], frames_at(inputs.values["s"], place[2]))
