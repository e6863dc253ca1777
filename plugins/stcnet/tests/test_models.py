"""stcnet-style: what it shares with its local variant and with the harness's encoders, and what frames may see."""

from dataclasses import replace

import pytest
import torch
from mmbench_stcnet.stcnet import STCNetStyle
from mmbench_stcnet.streams import Streams, as_frames, numbers, timesteps

from mmbench import ModalityEncoders


def build(task, seed=0, **options):
    torch.manual_seed(seed)
    return STCNetStyle(task, **{"width": 8, "hidden": 8, **options}).double().eval()


def with_state_of(model, other):
    """``model`` with all parameters of ``other`` that it has."""
    assert not model.load_state_dict(other.state_dict(), strict=False).missing_keys
    return model


@pytest.mark.parametrize("modalities", ["sequence fast", "frames tokens image vector", "spectrogram"])
def test_scale_zero_is_the_local_variant(make_task, make_split, modalities):
    task = make_task("classification", modalities)
    inputs = make_split(task, 8, missing=True, dtype=torch.float64).inputs
    whole = build(task, scale=0.0)
    local = with_state_of(build(task, nonlocal_block=False), whole)
    torch.testing.assert_close(whole(inputs).prediction, local(inputs).prediction, atol=1e-12, rtol=0)
    assert not torch.equal(with_state_of(build(task), local_part(whole))(inputs).prediction, local(inputs).prediction)


def local_part(model):
    """The model with the block as it starts by default."""
    torch.nn.init.ones_(model.nonlocal_block.norm.weight)
    return model


def test_without_time_and_block_frames_are_the_harness_s_tokens(make_task, make_split):
    task = make_task("classification", "image vector")
    inputs = make_split(task, 8, dtype=torch.float64).inputs
    model, encode = build(task, nonlocal_block=False), ModalityEncoders(task, 8).double()
    for stream, encoder in zip(model.encode.streams, encode.encoders, strict=True):
        encoder.load_state_dict(stream.encoder.state_dict())
    joined = encode(inputs).concat()
    torch.testing.assert_close(model(inputs).prediction, model.head(model.norm(joined)))


def test_only_the_block_lets_a_modality_change_what_is_pooled_of_another(make_task, make_split):
    task = make_task("classification", "sequence sequence")
    inputs = make_split(task, 8, dtype=torch.float64).inputs
    changed = replace(inputs, values={**inputs.values, "sequence1": inputs.values["sequence1"] + 1})
    for block in (False, True):
        model = build(task, nonlocal_block=block)
        model.norm = torch.nn.Identity()
        before, after = model(inputs), model(changed)
        assert torch.equal(before.embeddings["sequence0"], after.embeddings["sequence0"])
        assert torch.equal(before.fused[:, :8], after.fused[:, :8]) != block


@pytest.mark.parametrize("modalities", ["sequence fast", "frames", "tokens sequence"])
def test_padding_does_not_matter(make_task, make_split, modalities):
    task = make_task("classification", modalities)
    inputs = make_split(task, 8, dtype=torch.float64).inputs
    values = dict(inputs.values)
    for name, value in values.items():
        padded = ~inputs.mask(name).reshape(8, -1, *[1] * (value.dim() - 2))
        assert padded.any()
        values[name] = torch.where(padded, torch.ones_like(value), value)
    model = build(task)
    spoilt = model(replace(inputs, values=values))
    torch.testing.assert_close(spoilt.prediction, model(inputs).prediction, atol=1e-12, rtol=0)


def test_frames_of_a_modality_see_no_later_ones(make_task, make_split):
    task = make_task("classification", "sequence frames tokens spectrogram")
    inputs = make_split(task, 4, dtype=torch.float64).inputs
    lengths = {name: torch.full_like(length, 99) for name, length in inputs.lengths.items()}
    streams = Streams(task, 8, 2, 3, 0.0).double().eval()
    before, _ = streams(replace(inputs, lengths=lengths))
    for modality in task.modalities:
        values, axis = inputs.values[modality.name].clone(), 3 if modality.kind == "spectrogram" else 1
        frame = values.select(axis, 2)
        frame.copy_(frame % 10 + 1 if modality.kind == "tokens" else frame + 1)
        after, _ = streams(replace(inputs, values={**inputs.values, modality.name: values}, lengths=lengths))
        same = (after[modality.name] == before[modality.name]).all(-1).all(0)
        assert same[:2].all()
        assert not same[2]


def test_one_frame_alone_has_no_block_and_irregular_times_reach_it(make_task, make_split):
    assert build(make_task("classification", "vector")).nonlocal_block is None
    task = make_task("classification", "sequence fast")
    inputs = make_split(task, 8, dtype=torch.float64).inputs
    model = build(task)

    def at(times):
        return model(replace(inputs, times={"fast1": times.expand(8, -1)})).prediction

    torch.testing.assert_close(at(torch.arange(12) / 2), model(inputs).prediction)
    assert not torch.allclose(at(torch.arange(12).double() ** 2), model(inputs).prediction)


@pytest.mark.parametrize(
    ("name", "frames"), [("vector", (1, 5)), ("image", (1, 128)), ("spectrogram", (10, 6)), ("frames", (4, 72))]
)
def test_raw_frames(make_task, make_split, name, frames):
    task = make_task("anomaly", name)
    modality, values = task.modalities[0], make_split(task, 3).inputs.values[f"{name}0"]
    assert as_frames(values, modality.kind).shape == (3, *frames)
    assert (timesteps(modality), numbers(modality)) == frames
