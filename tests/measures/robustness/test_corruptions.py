"""Corruptions: what each does at its levels, and what none of them may touch."""

import numpy as np
import pytest
import torch

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.robustness.corruptions import CORRUPTIONS
from mmbench.nn.records import Inputs

ROWS = 400
MODALITIES = {
    "vector": Modality("x", "vector", (20,)),
    "image": Modality("x", "image", (2, 16, 24)),
    "spectrogram": Modality("x", "spectrogram", (1, 10, 20)),
    "sequence": Modality("x", "sequence", (20, 3)),
    "video": Modality("x", "sequence", (8, 1, 4, 5)),
    "tokens": Modality("x", "tokens", (20,), vocabulary=9),
}
BY_NAME = {corruption.name: corruption for corruption in CORRUPTIONS}
CASES = [(c, kind) for c in BY_NAME for kind, m in MODALITIES.items() if m.kind in BY_NAME[c].kinds]


def inputs_of(modality, rows=ROWS, ragged=False, absent=False):
    """Rows of a modality ``x``, no number of it zero, and of a vector ``y``."""
    rng = np.random.default_rng(1)
    if modality.kind == "tokens":
        values = torch.from_numpy(rng.integers(1, modality.vocabulary, size=(rows, *modality.shape)))
    else:
        values = torch.from_numpy(rng.uniform(1, 2, size=(rows, *modality.shape)).astype(np.float32))
    present = torch.ones(rows, 2, dtype=torch.bool)
    if absent:
        present[::3, 0] = False
    lengths = {}
    if modality.timed:
        least = 1 if ragged else modality.shape[0]
        lengths["x"] = torch.from_numpy(rng.integers(least, modality.shape[0] + 1, size=rows))
    inputs = Inputs({"x": values, "y": torch.randn(rows, 2)}, present, lengths)
    real = inputs.mask("x") if modality.timed else inputs.here("x")
    values *= real.reshape(*real.shape, *[1] * (values.dim() - real.dim()))
    return inputs


def corrupted(name, inputs, kind, level, seed=0):
    return BY_NAME[name](inputs, MODALITIES[kind], level, np.random.default_rng(seed))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_clean_inputs_are_left_as_they_are_and_the_others_are_the_very_same(name, kind):
    inputs = inputs_of(MODALITIES[kind], ragged=True, absent=True)
    before = {m: x.clone() for m, x in inputs.values.items()} | {
        "lengths": {m: x.clone() for m, x in inputs.lengths.items()}
    }
    found = corrupted(name, inputs, kind, 1.0)
    assert torch.equal(inputs.values["x"], before["x"])
    assert all(torch.equal(inputs.lengths[m], x) for m, x in before["lengths"].items())
    assert found.values["y"] is inputs.values["y"]
    assert found.present is inputs.present
    assert list(found.values) == ["x", "y"]
    assert not torch.equal(found.values["x"], inputs.values["x"])
    assert found.values["x"].dtype == inputs.values["x"].dtype
    assert found.values["x"].shape == inputs.values["x"].shape


@pytest.mark.parametrize(("name", "kind"), CASES)
@pytest.mark.parametrize("level", [0.25, 1.0])
def test_what_is_absent_or_padded_stays_zero(name, kind, level):
    found = corrupted(name, inputs_of(MODALITIES[kind], ragged=True, absent=True), kind, level)
    real = found.mask("x") if MODALITIES[kind].timed else found.here("x")
    assert not real.all()
    assert (found.values["x"][~real] == 0).all()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_level_zero_is_the_clean_input(name, kind):
    inputs = inputs_of(MODALITIES[kind], ragged=True)
    assert corrupted(name, inputs, kind, 0.0) is inputs


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_same_draws_give_the_same_and_other_draws_another_corruption(name, kind):
    inputs = inputs_of(MODALITIES[kind])
    first, again, other = (corrupted(name, inputs, kind, 0.5, seed).values["x"] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert torch.equal(first, other) != BY_NAME[name].drawn


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_single_row_of_one_frame_can_be_corrupted(name, kind):
    inputs = inputs_of(MODALITIES[kind], rows=1)
    if MODALITIES[kind].timed:
        values = inputs.values["x"].clone()
        values[:, 1:] = 0
        inputs = Inputs({**inputs.values, "x": values}, inputs.present, {"x": torch.ones(1, dtype=torch.long)})
    for level in (0.25, 1.0):
        assert corrupted(name, inputs, kind, level).values["x"].isfinite().all()


@pytest.mark.parametrize("kind", ["vector", "image", "spectrogram", "sequence", "video"])
@pytest.mark.parametrize("level", [0.25, 1.0])
def test_noise_has_twice_the_level_as_its_deviation(kind, level):
    inputs = inputs_of(MODALITIES[kind])
    noise = corrupted("noise", inputs, kind, level).values["x"] - inputs.values["x"]
    error = 2 * level / noise.numel() ** 0.5
    assert noise.mean().abs() < 4 * error
    assert (noise.std() - 2 * level).abs() < 4 * error


DROPPING = [(name, kind) for name, kind in CASES if name in ("dropout", "frames", "masks")]


@pytest.mark.parametrize(("name", "kind"), DROPPING)
@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_share_of_zeros_is_the_level(name, kind, level):
    inputs = inputs_of(MODALITIES[kind], rows=2000)
    gone = (corrupted(name, inputs, kind, level).values["x"] == 0).float().flatten(1).mean(1)
    assert (gone.mean() - level).abs() < 4 * max(float(gone.std()), 1e-9) / 2000**0.5 + 1e-6


@pytest.mark.parametrize("name", ["dropout", "frames", "occlusion", "masks"])
def test_at_level_one_nothing_is_left(name):
    for kind in [kind for case, kind in CASES if case == name]:
        assert (corrupted(name, inputs_of(MODALITIES[kind], ragged=True), kind, 1.0).values["x"] == 0).all()


@pytest.mark.parametrize("kind", ["sequence", "video", "spectrogram"])
def test_dropped_frames_are_one_block_among_the_real_ones(kind):
    inputs = inputs_of(MODALITIES[kind], ragged=True)
    found = corrupted("frames", inputs, kind, 0.5).values["x"]
    time = found.movedim(-1 if kind == "spectrogram" else 1, 1).flatten(2)
    whole = time == 0
    assert (whole.all(2) == whole.any(2)).all()
    length = inputs.lengths["x"] if kind != "spectrogram" else torch.full((ROWS,), 20)
    for gone, frames in zip(whole.all(2), length.tolist(), strict=True):
        places = gone[:frames].nonzero()[:, 0]
        assert abs(len(places) - frames / 2) < 1
        assert not len(places) or places[-1] - places[0] + 1 == len(places)


def test_a_lag_of_level_one_is_a_quarter_of_the_length():
    inputs = inputs_of(MODALITIES["sequence"], ragged=True)
    old, new = inputs.values["x"], corrupted("lag", inputs, "sequence", 1.0).values["x"]
    for row, length in enumerate(inputs.lengths["x"].tolist()):
        by = int(length / 4 + 0.5)
        assert (new[row, :by] == 0).all()
        assert torch.equal(new[row, by:length], old[row, : length - by])


def test_jitter_keeps_every_frame_and_moves_it_a_little():
    inputs = inputs_of(MODALITIES["sequence"], ragged=True)
    steps = torch.arange(1.0, 21)[None, :, None].expand(ROWS, 20, 3) * inputs.mask("x")[..., None]
    inputs = Inputs({**inputs.values, "x": steps}, inputs.present, inputs.lengths)
    spread = []
    for level in (0.25, 1.0):
        found = corrupted("jitter", inputs, "sequence", level).values["x"]
        assert torch.equal(found.sort(1).values, steps.sort(1).values)
        off = (found - steps).abs()
        assert 0 < off.max() <= 8 * level
        spread.append(off.mean())
    assert spread[0] < spread[1]


def test_blur_leaves_a_constant_image_alone_and_evens_out_more_with_its_level():
    inputs = inputs_of(MODALITIES["image"])
    constant = Inputs({**inputs.values, "x": torch.full_like(inputs.values["x"], 3.0)}, inputs.present)
    assert torch.allclose(corrupted("blur", constant, "image", 1.0).values["x"], constant.values["x"], atol=1e-5)
    contrast = [corrupted("blur", inputs, "image", level).values["x"].std((-2, -1)).mean() for level in (0, 0.25, 1.0)]
    assert contrast[0] > 1.2 * contrast[1] > 2 * contrast[2]


def test_blur_spreads_a_point_as_a_gaussian_of_an_eighth_of_the_side():
    modality = Modality("x", "image", (1, 41, 41))
    image = torch.zeros(1, 1, 41, 41)
    image[..., 20, 20] = 1
    inputs = Inputs({"x": image}, torch.ones(1, 1, dtype=torch.bool))
    found = BY_NAME["blur"](inputs, modality, 0.5, np.random.default_rng(0)).values["x"][0, 0]
    place = torch.arange(41.0) - 20
    assert found.sum().item() == pytest.approx(1, abs=1e-4)
    assert (found.sum(0) * place**2).sum().sqrt().item() == pytest.approx(41 / 16, rel=0.02)


@pytest.mark.parametrize("level", [0.25, 0.5])
def test_occlusion_is_one_rectangle_of_the_levels_area(level):
    found = corrupted("occlusion", inputs_of(MODALITIES["image"]), "image", level).values["x"]
    gone = (found == 0).all(1)
    assert torch.equal(gone, (found == 0).any(1))
    down, across = gone.any(2).sum(1), gone.any(1).sum(1)
    assert torch.equal(down * across, gone.sum((1, 2)))
    assert ((down - 16 * level**0.5).abs() <= 0.5).all()
    assert ((across - 24 * level**0.5).abs() <= 0.5).all()
    assert len(gone.float().argmax(2).amax(1).unique()) > 4  # at many places


def test_masks_are_whole_bands_of_time_and_of_frequency():
    gone = corrupted("masks", inputs_of(MODALITIES["spectrogram"]), "spectrogram", 0.5).values["x"][:, 0] == 0
    times, bands = gone.all(1), gone.all(2)
    assert torch.equal(gone, times[:, None, :] | bands[:, :, None])
    for each in (times, bands):
        assert (each.int().diff(dim=1).clamp(min=0).sum(1) + each[:, 0] <= 1).all()  # one block


@pytest.mark.parametrize("level", [0.25, 0.75, 1.0])
def test_shuffle_is_a_derangement_of_a_share_of_the_rows(level):
    inputs = inputs_of(MODALITIES["vector"])
    marked = torch.arange(ROWS, dtype=torch.float32)[:, None].expand(ROWS, 20).contiguous()
    found = corrupted("shuffle", Inputs({**inputs.values, "x": marked}, inputs.present), "vector", level)
    source = found.values["x"][:, 0]
    assert torch.equal(source.sort().values, torch.arange(ROWS, dtype=torch.float32))
    assert (source != torch.arange(ROWS)).sum() == level * ROWS


def test_shuffle_takes_partners_among_those_that_are_present_with_their_lengths_and_times():
    inputs = inputs_of(MODALITIES["sequence"], ragged=True, absent=True)
    times = {"x": torch.arange(ROWS)[:, None].expand(ROWS, 20).float()}
    inputs = Inputs(inputs.values, inputs.present, inputs.lengths, times)
    found = corrupted("shuffle", inputs, "sequence", 1.0)
    source = found.times["x"][:, 0].long()
    here = inputs.here("x")
    assert torch.equal(source[~here], torch.arange(ROWS)[~here])
    assert (source[here] != torch.arange(ROWS)[here]).all()
    assert here[source[here]].all()
    assert torch.equal(found.values["x"], inputs.values["x"][source])
    assert torch.equal(found.lengths["x"], inputs.lengths["x"][source])


def test_shuffle_leaves_a_row_without_a_partner_as_it_is():
    inputs = inputs_of(MODALITIES["vector"], rows=3)
    alone = inputs.keep(torch.tensor([[True, True], [False, True], [False, True]]))
    for given in (alone, alone.without("x")):
        assert torch.equal(corrupted("shuffle", given, "vector", 1.0).values["x"], given.values["x"])


def test_which_corruptions_strike_which_modalities():
    vector, tokens = Modality("a", "vector", (2,)), Modality("b", "tokens", (5,), vocabulary=4)
    one, two = Task("classification", 2, (vector,)), Task("classification", 2, (vector, tokens))

    def struck(task):
        return {c.name: [m.name for m in c.fitting(task)] for c in CORRUPTIONS if c.fitting(task)}

    assert struck(one) == {"noise": ["a"], "dropout": ["a"]}
    assert struck(two) == {"noise": ["a"], "dropout": ["a", "b"], "shuffle": ["a", "b"]}
    assert [c.name for c in CORRUPTIONS if c.strikes_all(one)] == []
    assert [c.name for c in CORRUPTIONS if c.strikes_all(two)] == ["dropout", "shuffle"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_gpu_gives_what_a_cpu_gives(name, kind):
    inputs = inputs_of(MODALITIES[kind], ragged=True, absent=True)
    there = Inputs(
        {m: x.cuda() for m, x in inputs.values.items()},
        inputs.present.cuda(),
        {m: x.cuda() for m, x in inputs.lengths.items()},
    )
    found = corrupted(name, there, kind, 0.5).values["x"]
    assert found.is_cuda
    assert torch.allclose(found.cpu(), corrupted(name, inputs, kind, 0.5).values["x"], atol=1e-3)  # TF32 may blur
