"""Encoders of every kind keep the contract that methods rely on."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.nn.encoders import Encoder, ModalityEncoders, make_encoder
from mmbench.nn.functional import masked_mean

KINDS = {
    "vector": Modality("vector", "vector", (5,)),
    "image": Modality("image", "image", (2, 9, 7)),
    "tiny image": Modality("tiny", "image", (1, 2, 3)),
    "depthwise": Modality("depthwise", "image", (2, 9, 7), encoder="depthwise"),
    "spectrogram": Modality("spectrogram", "spectrogram", (1, 20, 12)),
    "sequence": Modality("sequence", "sequence", (13, 4)),
    "video": Modality("video", "sequence", (6, 2, 8, 8)),
    "tokens": Modality("tokens", "tokens", (11,), vocabulary=17),
}
TIMED = ["sequence", "video", "tokens"]
WIDTH, ROWS = 16, 5
NAMES = ("vector", "image", "sequence", "tokens")
TASK = Task("classification", 3, tuple(KINDS[name] for name in NAMES))


@pytest.fixture
def given(draw_inputs):
    """``given(modality) -> (values, lengths)`` of some rows."""

    def values(modality, seed=0, rows=ROWS):
        inputs = draw_inputs(Task("classification", 2, (modality,)), rows, seed)
        return inputs.values[modality.name], inputs.lengths.get(modality.name)

    return values


def encoder_of(modality, width=WIDTH, seed=0):
    torch.manual_seed(seed)
    return make_encoder(modality, width).double()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [WIDTH, 10])
def test_shapes_and_widths_are_as_declared(kind, width, given):
    encoder = encoder_of(KINDS[kind], width)
    tokens, mask, stages = encoder(*given(KINDS[kind]))
    assert encoder.widths[-1] == width
    assert tuple(stage.shape for stage in stages) == tuple((ROWS, wide) for wide in encoder.widths)
    assert tokens.shape == (ROWS, mask.shape[1], width)
    assert mask.shape == tokens.shape[:2]
    assert mask.dtype == torch.bool
    assert tokens.dtype == torch.float64


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_stage_is_the_masked_mean_of_the_tokens(kind, given):
    tokens, mask, stages = encoder_of(KINDS[kind])(*given(KINDS[kind]))
    torch.testing.assert_close(stages[-1], masked_mean(tokens, mask))


@pytest.mark.parametrize("kind", KINDS)
def test_the_mask_tells_frames_from_padding(kind, given):
    values, lengths = given(KINDS[kind])
    mask = encoder_of(KINDS[kind])(values, lengths).mask
    if lengths is None:
        assert mask.all()
    else:
        assert torch.equal(mask, torch.arange(values.shape[1]) < lengths[:, None])


@pytest.mark.parametrize("kind", TIMED)
def test_without_lengths_every_frame_counts(kind, given):
    values, _ = given(KINDS[kind])
    encoder = encoder_of(KINDS[kind])
    full = torch.full((ROWS,), values.shape[1])
    for one, two in zip(encoder(values).stages, encoder(values, full).stages, strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("kind", TIMED)
def test_longer_padding_changes_nothing(kind, given):
    values, lengths = given(KINDS[kind])
    encoder = encoder_of(KINDS[kind])
    padded = torch.cat([values, torch.zeros_like(values)], 1)
    short, long = encoder(values, lengths), encoder(padded, lengths)
    for one, two in zip(short.stages, long.stages, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-12)
    torch.testing.assert_close(long.tokens[:, : values.shape[1]], short.tokens, rtol=0, atol=1e-12)
    assert not long.mask[:, values.shape[1] :].any()


@pytest.mark.parametrize("kind", TIMED)
def test_what_stands_in_the_padding_is_not_read(kind, given):
    values, lengths = given(KINDS[kind])
    other, _ = given(KINDS[kind], seed=1)
    real = torch.arange(values.shape[1]) < lengths[:, None]
    real = real.reshape(*real.shape, *[1] * (values.dim() - 2))
    encoder = encoder_of(KINDS[kind])
    clean, dirty = encoder(values, lengths), encoder(torch.where(real, values, other), lengths)
    assert not real.all()
    for one, two in zip(clean.stages, dirty.stages, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [False, True])
def test_a_row_depends_on_that_row_alone(kind, training, given):
    values, lengths = given(KINDS[kind])
    encoder = encoder_of(KINDS[kind]).train(training)
    whole = encoder(values, lengths)
    for i in range(ROWS):
        one = encoder(values[i : i + 1], None if lengths is None else lengths[i : i + 1])
        torch.testing.assert_close(whole.tokens[i : i + 1], one.tokens, rtol=0, atol=1e-12)
        for stage, alone in zip(whole.stages, one.stages, strict=True):
            torch.testing.assert_close(stage[i : i + 1], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_reaches_every_parameter(kind, given):
    encoder = encoder_of(KINDS[kind])
    weight = torch.randn(WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (encoder(*given(KINDS[kind], rows=16)).stages[-1] @ weight).square().sum().backward()
    assert {name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.any()} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_different_inputs_have_different_codes(kind, given):
    vectors = encoder_of(KINDS[kind])(*given(KINDS[kind])).stages[-1]
    assert torch.pdist(vectors).min() > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_three_encoders_at_once_are_as_one_after_another(kind, given):
    values, lengths = given(KINDS[kind])
    encoders = [encoder_of(KINDS[kind], seed=seed) for seed in range(3)]
    parameters, buffers = stack_module_state(encoders)

    def one(parameters, buffers):
        return functional_call(encoders[0], (parameters, buffers), (values, lengths)).stages

    together = torch.vmap(one)(parameters, buffers)
    for i, encoder in enumerate(encoders):
        for stage, alone in zip(together, encoder(values, lengths).stages, strict=True):
            torch.testing.assert_close(stage[i], alone, rtol=0, atol=1e-10)


def test_a_sequence_is_more_than_the_set_of_its_frames(given):
    values, _ = given(KINDS["sequence"])
    encoder = encoder_of(KINDS["sequence"])
    assert not torch.allclose(encoder(values).stages[-1], encoder(values.flip(1)).stages[-1], atol=1e-3)


def test_an_encoder_that_is_not_known_is_told():
    with pytest.raises(MmbenchError, match="no image encoder is called 'depthwsie'; did you mean depthwise"):
        make_encoder(Modality("m", "image", (1, 8, 8), encoder="depthwsie"), WIDTH)


# All modalities together.


def encoders_of(task=TASK, absent=True, seed=0):
    torch.manual_seed(seed)
    return ModalityEncoders(task, WIDTH, absent).double()


@pytest.fixture
def inputs(draw_inputs):
    return draw_inputs(TASK, 8)


@pytest.fixture
def holes():
    """(8,4): a pattern in which every modality is absent somewhere and every row has one."""
    present = torch.ones(8, 4, dtype=torch.bool)
    present[0, 1:] = present[1:4, 0] = present[3:5, 2] = present[4:7, 3] = present[5, 1] = False
    return present


def test_all_modalities_are_encoded_in_the_order_of_the_task(inputs):
    encoders = encoders_of()
    encoded = encoders(inputs)
    for part in (encoded.tokens, encoded.masks, encoded.stages, encoded.vectors, encoders.widths):
        assert list(part) == list(NAMES)
    for name, encoder in zip(NAMES, encoders.each(), strict=True):
        assert isinstance(encoder, Encoder)
        alone = encoder(inputs.values[name], inputs.lengths.get(name))
        assert torch.equal(encoded.vectors[name], alone.stages[-1])
        assert torch.equal(encoded.tokens[name], alone.tokens)
        assert torch.equal(encoded.masks[name], alone.mask)
        assert encoders.widths[name] == encoder.widths
        assert encoded.stages[name][-1] is encoded.vectors[name]
    assert encoded.stack().shape == (8, 4, WIDTH)
    assert encoded.concat().shape == (8, 4 * WIDTH)


def test_where_a_modality_is_absent_its_missing_token_stands(inputs, holes):
    encoders = encoders_of()
    assert not encoders.missing.any(), "it starts at zero"
    nn.init.normal_(encoders.missing)
    encoded, complete = encoders(inputs.keep(holes)), encoders(inputs)
    for i, name in enumerate(NAMES):
        here = holes[:, i]
        assert torch.equal(encoded.vectors[name][here], complete.vectors[name][here])
        assert torch.equal(encoded.vectors[name][~here], encoders.missing[i].expand(int((~here).sum()), WIDTH))
        assert not encoded.masks[name][~here].any()
        assert not encoded.stages[name][0][~here].any()
        assert encoded.masks[name][here].any(1).all()


def test_without_missing_tokens_an_absent_vector_is_zero(inputs, holes):
    encoders = encoders_of(absent=False)
    assert encoders.missing is None
    for i, name in enumerate(NAMES):
        assert not encoders(inputs.keep(holes)).vectors[name][~holes[:, i]].any()


def test_a_single_modality_has_no_missing_token():
    assert encoders_of(Task("classification", 3, (KINDS["vector"],))).missing is None


def test_an_absent_value_has_no_influence_and_no_gradient(inputs, draw_inputs, holes):
    """Even if somebody forgot to blank it."""
    encoders = encoders_of()
    nn.init.normal_(encoders.missing)
    other = draw_inputs(TASK, 8, seed=7)
    present = {name: holes[:, i] for i, name in enumerate(NAMES)}

    def shaped(name):
        return present[name].reshape(8, *[1] * (inputs.values[name].dim() - 1))

    mixed = {name: torch.where(shaped(name), inputs.values[name], other.values[name]) for name in NAMES}
    lengths = {name: torch.where(present[name], inputs.lengths[name], other.lengths[name]) for name in inputs.lengths}
    leaves = {name: value.clone().requires_grad_() for name, value in mixed.items() if value.is_floating_point()}
    dirty = type(inputs)({**mixed, **leaves}, holes, lengths)
    clean, seen = encoders(inputs.keep(holes)), encoders(dirty)
    for name in NAMES:
        torch.testing.assert_close(clean.vectors[name], seen.vectors[name], rtol=0, atol=1e-12)
        torch.testing.assert_close(clean.stages[name][0], seen.stages[name][0], rtol=0, atol=1e-12)
    (seen.concat().square().sum() + sum(seen.stages[name][0].square().sum() for name in NAMES)).backward()
    for name, leaf in leaves.items():
        assert not leaf.grad[~present[name]].any()
        assert leaf.grad[present[name]].any()


def test_a_gradient_reaches_every_parameter_and_missing_tokens_where_something_is_missing(inputs, holes):
    encoders = encoders_of()
    weight = torch.randn(4 * WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (encoders(inputs.keep(holes)).concat() @ weight - 1).square().sum().backward()
    dead = {name for name, p in encoders.named_parameters() if p.grad is None or not p.grad.any()}
    assert dead == set()
    assert encoders.missing.grad.any(1).all()


def test_three_models_at_once_are_as_one_after_another(inputs, holes):
    models = [encoders_of(seed=seed) for seed in range(3)]
    for model in models:
        nn.init.normal_(model.missing)
    parameters, buffers = stack_module_state(models)
    some = inputs.keep(holes)

    def loss(parameters, buffers):
        return functional_call(models[0], (parameters, buffers), (some,)).concat().square().mean()

    gradients, values = torch.vmap(torch.func.grad_and_value(loss))(parameters, buffers)
    for i, model in enumerate(models):
        alone = model(some).concat().square().mean()
        alone.backward()
        torch.testing.assert_close(values[i], alone, rtol=0, atol=1e-10)
        for name, p in model.named_parameters():
            torch.testing.assert_close(gradients[name][i], p.grad, rtol=0, atol=1e-10)


def test_single_precision_is_as_good_as_it_gets(draw_inputs):
    single = draw_inputs(TASK, 8, dtype=torch.float32)
    double = type(single)(
        {name: x.double() if x.is_floating_point() else x for name, x in single.values.items()},
        single.present,
        single.lengths,
    )
    encoders = encoders_of()
    wanted = encoders(double).concat()
    assert wanted.dtype == torch.float64
    found = encoders.float()(single).concat()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), wanted, rtol=0, atol=1e-4)


def test_depthwise_separable_convolutions_have_the_published_share_of_weights():
    """1/C_out + 1/k²: .11892 for 64 -> 128 channels and 3x3 pixels."""
    images = (Modality("x", "image", (3, 16, 16), encoder=name) for name in ("", "depthwise"))
    full, separable = (make_encoder(image, 128) for image in images)
    weights = [
        sum(layer.weight.numel() for layer in encoder.blocks[2] if isinstance(layer, nn.Conv2d))
        for encoder in (full, separable)
    ]
    assert weights[1] / weights[0] == pytest.approx(0.11892, abs=5e-6)


def test_a_depthwise_convolution_is_each_channel_by_itself():
    encoder = make_encoder(Modality("x", "image", (2, 8, 8), encoder="depthwise"), 32).double()
    depthwise = encoder.blocks[1][0]
    image = torch.randn(1, 8, 4, 4, dtype=torch.float64, requires_grad=True)
    depthwise(image)[0, 3].square().sum().backward()
    assert [bool(channel.any()) for channel in image.grad[0]] == [k == 3 for k in range(8)]
