"""How much noise there is, and how much is left out."""

import pytest
import torch

from mmbench import MmbenchError
from mmbench.testing.samples import make_split, make_task

ROWS = 4000


def ones(task, rows=ROWS):
    """Inputs all one where they are real."""
    inputs = make_split(task, rows).inputs
    for name, values in inputs.values.items():
        if name in inputs.lengths:
            real = inputs.mask(name)
            inputs.values[name] = (
                real.reshape(*real.shape, *[1] * (values.dim() - 2)).expand_as(values).to(values.dtype)
            )
        else:
            inputs.values[name] = torch.ones_like(values)
    return inputs


def test_noise_has_the_given_deviation_and_no_mean(make, apply):
    task = make_task("regression", "vector sequence spectrogram")
    inputs = make_split(task, ROWS).inputs
    found = apply(make("noise", task, scale=0.3), inputs)
    for name, values in found.values.items():
        difference = values - inputs.values[name]
        difference = difference[inputs.mask(name)] if name in inputs.lengths else difference
        assert float(difference.std()) == pytest.approx(0.3, rel=0.03)
        assert float(difference.mean()) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("kind", ["vector", "image", "spectrogram", "sequence", "frames", "tokens"])
@pytest.mark.parametrize("share", [0.15, 0.5])
def test_a_mask_drops_the_given_share(kind, share, make, apply):
    task = make_task("classification", kind)
    inputs = ones(task)
    found = apply(make("mask", task, share=share), inputs)
    before, after = inputs.values[f"{kind}0"], found.values[f"{kind}0"]
    assert set(after.unique().tolist()) == {0, 1}
    assert 1 - float(after.double().sum() / before.double().sum()) == pytest.approx(share, abs=0.02)


def test_sequences_are_masked_in_spans_of_whole_frames(make, apply):
    task = make_task("classification", "fast")
    inputs = ones(task, 300)
    inputs.lengths["fast0"][:] = 12
    inputs.values["fast0"][:] = 1
    found = apply(make("mask", task, share=0.5, spans=1), inputs).values["fast0"]
    assert torch.equal(found[..., 0], found[..., 1])
    assert torch.equal(found.sum(1), torch.full((300, 2), 6.0)), "half of 12 frames"
    borders = (found[..., 0] != found[..., 0].roll(1, 1)).sum(1)
    assert set(borders.tolist()) == {2}, "one span, which may go round the end"


def test_pictures_are_masked_in_patches_over_all_channels(make, apply):
    task = make_task("classification", "image")
    found = apply(make("mask", task, share=0.4, cells=4), ones(task, 50)).values["image0"]
    assert torch.equal(found[:, 0], found[:, 1])
    patches = found.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)
    assert torch.equal(patches.amin(-1), patches.amax(-1))


def test_modalities_are_dropped_with_their_probability_and_never_the_last(make, apply):
    task = make_task("classification", "vector vector vector")
    inputs = ones(task)
    found = apply(make("modality-dropout", task, p=0.2), inputs)
    assert float((~found.present).float().mean()) == pytest.approx(0.2, abs=0.02)
    for number, values in enumerate(found.values.values()):
        assert torch.equal(values.bool().all(1), found.present[:, number])
    found = apply(make("modality-dropout", task, p=0.99), inputs)
    assert int(found.present.sum(1).min()) == 1
    assert bool((found.present.float().mean(0) > 0.3).all()), "any of them can be the last"


def test_the_only_modality_that_a_sample_has_stays(make, apply):
    task = make_task("classification", "vector vector")
    inputs = ones(task, 100).keep(torch.tensor([False, True]).expand(100, 2))
    assert torch.equal(apply(make("modality-dropout", task, p=0.99), inputs).present, inputs.present)
    both = ones(task)
    found = apply(make("modality-dropout", task, p=0.5, only="vector0"), both)
    assert bool(found.present[:, 1].all())
    assert float(found.present[:, 0].float().mean()) == pytest.approx(0.5, abs=0.03)


def test_dropping_the_one_modality_of_a_task_is_refused(make):
    with pytest.raises(MmbenchError, match="modality-dropout needs two modalities"):
        make("modality-dropout", make_task("classification", "vector"))
