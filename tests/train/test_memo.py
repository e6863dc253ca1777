"""Many variants of one split: what a memo gives is what the model gives alone, whatever the model does."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from mmbench import FusionModel, FusionOutput, Head, ModalityEncoders
from mmbench.core.arithmetic import Arithmetic
from mmbench.testing.samples import make_split, make_task
from mmbench.train.arithmetic import precision
from mmbench.train.fitted import FittedModel
from mmbench.train.loop import History
from mmbench.train.memo import MemoisedModel

TASK = make_task("classification", "vector image sequence tokens")
PAIR = make_task("classification", "vector vector")
ROWS = 10  # of a block; 24 rows are two blocks and a shorter one


def corrupted(split, name, level=1):
    """The variant in which one modality's rows are others', the more the higher the level."""
    values = split.inputs.values
    return replace(split, inputs=replace(split.inputs, values={**values, name: values[name].roll(level, 0)}))


def variants(split, levels=3):
    """As in robustness evaluation: nothing, then modality after modality at rising levels."""
    yield split
    for name in split.inputs.names:
        for level in range(1, levels):
            yield corrupted(split, name, level)


def alone(model, split, rows=ROWS):
    """Every block afresh, by the model itself."""
    model.eval()
    with torch.no_grad():
        outputs = [model(split.inputs.take(index)) for index in torch.arange(len(split)).split(rows)]
    return torch.cat([output.prediction for output in outputs])


def agrees(model, split, some=None, rows=ROWS, **options):
    """Whether predictions are those of the model alone, bit for bit; with what was asked."""
    memoised = MemoisedModel(model, split, rows, **options)
    for variant in some or variants(split):
        assert torch.equal(memoised.output(variant).prediction, alone(model, variant, rows))
    return memoised


class Encode(nn.Module):
    """An encoder that says how many rows it was given each time."""

    def __init__(self, size, calls, width=8):
        super().__init__()
        self.layer, self.calls = nn.Linear(size, width), calls

    def forward(self, values):
        self.calls.append(len(values))
        return self.layer(values).relu()


class Pair(FusionModel):
    """Two vectors, an encoder each, a head; ``encode`` is what the tests replace."""

    def __init__(self, first=None, second=None):
        super().__init__()
        torch.manual_seed(0)
        self.calls = {name: [] for name in PAIR.names}
        encoders = [Encode(5, self.calls[name]) for name in PAIR.names]
        self.first, self.second = first or encoders[0], second or encoders[1]
        self.head = Head(PAIR, 16)

    def encode(self, one, other):
        return self.first(one), self.second(other)

    def forward(self, inputs):
        return FusionOutput(self.head(torch.cat(self.encode(*inputs.values.values()), 1)))


def pair(encode, **modules):
    """A ``Pair`` that encodes in another way, with some modules more."""

    class Other(Pair):
        def encode(self, one, other):
            return encode(self, one, other)

    model = Other()
    for name, module in modules.items():
        setattr(model, name, module)
    return model


def computed(model, split, some):
    """{m: numbers of rows of each call of its encoder}, beside the trial's."""
    memoised = MemoisedModel(model, split, ROWS)
    for calls in model.calls.values():
        calls.clear()
    for variant in some:
        memoised.output(variant)
    return model.calls


@pytest.fixture
def split():
    return make_split(PAIR, 24)


class Late(FusionModel):
    def __init__(self, task):
        super().__init__()
        torch.manual_seed(0)
        self.encode = ModalityEncoders(task, 16)
        self.head = Head(task, 16 * len(task.modalities), 8)

    def forward(self, inputs):
        encoded = self.encode(inputs)
        return FusionOutput(self.head(encoded.concat()), encoded.vectors, encoded.concat())


@pytest.mark.parametrize("missing", [False, True])
def test_every_kind_of_modality_is_encoded_as_by_the_model_alone(missing):
    split = make_split(TASK, 24, missing=missing)
    assert agrees(Late(TASK), split).reused


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_is_touched_in_whatever_order(data):
    """Values, presence and lengths; one block or many; much memory or little."""
    split, some = make_split(TASK, 12), []
    for _ in range(data.draw(st.integers(1, 6))):
        variant = split
        for name in data.draw(st.sets(st.sampled_from(TASK.names))):
            variant = corrupted(variant, name, data.draw(st.integers(1, 3)))
        if data.draw(st.booleans()):
            variant = replace(variant, inputs=variant.inputs.without(data.draw(st.sampled_from(TASK.names))))
        if data.draw(st.booleans()):
            lengths = {name: length.clamp(max=2) for name, length in split.inputs.lengths.items()}
            variant = replace(variant, inputs=replace(variant.inputs, lengths=lengths))
        some.append(variant)
    rows, memory = data.draw(st.sampled_from([1, 5, 12, 99])), data.draw(st.sampled_from([0, 2000, 20000, 2**30]))
    agrees(Late(TASK), split, some, rows=rows, memory=memory)


def test_all_that_the_model_gives_is_given():
    split = make_split(TASK, 24)
    model = Late(TASK)
    variant = corrupted(split, TASK.names[1])
    memoised = MemoisedModel(model, split, 24)
    memoised.output(split)
    found = memoised.output(variant)
    with torch.no_grad():
        expected = model.eval()(variant.inputs)
    assert torch.equal(found.fused, expected.fused)
    assert tuple(found.embeddings) == TASK.names
    assert all(torch.equal(found.embeddings[name], expected.embeddings[name]) for name in TASK.names)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_it_gives_what_a_fitted_model_gives(dtype):
    arithmetic = Arithmetic(dtype=dtype)
    split = make_split(TASK, 12, dtype=precision(arithmetic))
    model = Late(TASK).to(precision(arithmetic))
    fitted, memoised = FittedModel(model, TASK, History(), arithmetic), MemoisedModel(model, split, 12, arithmetic)
    assert memoised.reused
    for variant in variants(split):
        found, expected = memoised.output(variant), fitted.output(variant)
        assert found.prediction.dtype == expected.prediction.dtype
        assert torch.equal(found.prediction, expected.prediction)


def test_an_untouched_modality_is_encoded_once(split):
    some = [corrupted(split, "vector0", level) for level in (1, 2, 3)]
    some += [corrupted(split, "vector1", level) for level in (1, 2)]
    # Those that are corrupted, and once the one that is not.
    assert computed(Pair(), split, some) == {"vector0": [10, 10, 4] * (3 + 1), "vector1": [10, 10, 4] * (1 + 2)}


def test_one_encoder_of_two_modalities(split):
    shared = Pair()
    shared.second = shared.first
    assert agrees(shared, split).reused
    calls = computed(shared, split, [corrupted(split, "vector0", level) for level in (1, 2, 3)])
    assert sum(calls["vector0"]) == (3 + 1) * 24


def test_encoders_are_found_at_any_depth(split):
    """In a module that is given everything, and behind another whose result they take."""

    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = []
            self.enter, self.leave = nn.Linear(5, 8), Encode(8, self.calls)

        def forward(self, everything):
            one, other = everything
            return self.leave(self.enter(one)), self.leave(self.enter(other))

    model = pair(lambda self, one, other: self.chain([one, other]), chain=Chain())
    assert agrees(model, split).reused
    memoised = MemoisedModel(model, split, ROWS)
    model.chain.calls.clear()
    for level in (1, 2, 3):
        memoised.output(corrupted(split, PAIR.names[0], level))
    assert sum(model.chain.calls) == 4 * 24


def test_masks_that_are_made_anew_are_compared_by_their_entries(split):
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = []
            self.layer = Encode(5, self.calls)

        def forward(self, values, mask):
            return self.layer(values) * mask[:, None]

    class Model(Pair):
        def forward(self, inputs):
            one, other = inputs.values.values()
            return FusionOutput(self.head(torch.cat([self.first(one), self.second(other, inputs.here("vector1"))], 1)))

    model = Model(second=Masked())
    gone = replace(split, inputs=replace(split.inputs, present=torch.tensor([[True, False]]).repeat(24, 1)))
    some = [corrupted(split, "vector0", 1), corrupted(split, "vector0", 2), gone, corrupted(split, "vector0", 3)]
    memoised = agrees(model, split, some)
    assert memoised.reused
    model.second.calls.clear()
    memoised.output(corrupted(split, "vector0", 4))
    assert model.second.calls == []


def in_place_result(self, one, other):
    return self.first(one).add_(1), self.second(other)


def in_place_view(self, one, other):
    one = self.first(one)
    one[:, :2].zero_()
    return one, self.second(other)


def in_place_of_one_of_two(self, one, other):
    again = self.second(other)
    thrice = self.second(other).mul_(3)
    return self.first(one) + again, thrice


def in_place_input(self, one, other):
    one.mul_(2)
    return self.first(one), self.second(other)


def in_place_input_afterwards(self, one, other):
    found = self.first(one), self.second(other)
    one.fill_(7)
    return found[0] + self.second(one), found[1]


class Own(nn.Module):
    """Changes what it is given, and gives it back."""

    def forward(self, values):
        return values.mul_(2).sub_(1)


def in_place_inside(self, one, other):
    return self.first(self.own(one)), self.second(self.own(other))


@pytest.mark.parametrize(
    "encode",
    [
        in_place_result,
        in_place_view,
        in_place_of_one_of_two,
        in_place_input,
        in_place_input_afterwards,
        in_place_inside,
    ],
)
def test_changes_in_place_are_survived_and_the_data_are_left(encode, split):
    before = {name: value.clone() for name, value in split.inputs.values.items()}
    agrees(pair(encode, own=Own()), split)
    assert all(torch.equal(split.inputs.values[name], value) for name, value in before.items())


def test_a_result_that_is_changed_in_place_costs_its_module_alone(split):
    model = pair(in_place_result)
    assert agrees(model, split).reused
    calls = computed(model, split, [corrupted(split, name, level) for name in PAIR.names for level in (1, 2, 3)])
    assert sum(calls["vector0"]) == 6 * 24
    assert sum(calls["vector1"]) == 4 * 24


def test_lists_that_the_model_changes_are_its_own(split):
    class Stages(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 8)

        def forward(self, values):
            return {"stages": [self.layer(values)], "name": "stages", "none": None}

    def encode(self, one, other):
        one, other = self.first(one), self.second(other)
        one["stages"].append(other.pop("stages")[0])
        return one["stages"]

    model = pair(encode)
    model.first, model.second = Stages(), Stages()
    assert agrees(model, split).reused


class Counting(nn.Module):
    """Every evaluation changes a buffer, on which the result may depend."""

    def __init__(self, replaced, matters=True):
        super().__init__()
        self.layer, self.replaced, self.matters = nn.Linear(5, 8), replaced, matters
        self.register_buffer("count", torch.zeros(()))

    def forward(self, values):
        if self.replaced:
            self.count = self.count + 1
        else:
            self.count.add_(1)
        return self.layer(values) * (self.count if self.matters else 1)


class Remembering(nn.Module):
    """Keeps its result as an attribute, where the model takes it from."""

    def __init__(self):
        super().__init__()
        self.layer, self.last, self.log = nn.Linear(5, 8), None, []

    def forward(self, values):
        self.last = self.layer(values)
        self.log.append(self.last)
        return values


class Told(nn.Module):
    """Its result depends on what the model has put into an attribute."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(5, 8), None

    def forward(self, values):
        return self.layer(values) * self.scale


class Drawing(nn.Module):
    """Adds noise in evaluation."""

    def __init__(self, draw):
        super().__init__()
        self.layer, self.draw = nn.Linear(5, 8), draw

    def forward(self, values):
        return self.layer(values) + self.draw(len(values))


def remembered(self, one, other):
    self.second(other)
    return self.first(one), self.second.last


def remembered_of_the_first(self, one, other):
    self.second(one)
    return self.first(other), self.second.last


def logged(self, one, other):
    self.second(one), self.second(other)
    return self.first(one), self.second.log[-1]


def told(self, one, other):
    self.second.scale = one.mean(1, keepdim=True)
    return self.first(one), self.second(other)


def told_of_all_rows(self, one, other):
    self.second.scale = one.mean()
    return self.first(one), self.second(other)


class Numbered(nn.Module):
    """Counts its calls where nobody sees it."""

    def __init__(self):
        super().__init__()
        self.layer, self.times = nn.Linear(5, 8), []

    def forward(self, values):
        self.times.append(1)
        return self.layer(values) * len(self.times)


def as_ever(self, one, other):
    return self.first(one), self.second(other)


@pytest.mark.parametrize(
    ("encode", "second"),
    [
        (as_ever, lambda: Counting(False)),
        (as_ever, lambda: Counting(True)),
        (as_ever, lambda: Counting(False, matters=False)),
        (as_ever, lambda: Counting(True, matters=False)),
        (remembered, Remembering),
        (remembered_of_the_first, Remembering),
        (logged, Remembering),
        (told, Told),
        (told_of_all_rows, Told),
        (as_ever, lambda: Drawing(lambda rows: torch.rand(rows, 1))),
        (as_ever, lambda: Drawing(lambda rows: torch.from_numpy(np.random.rand(rows, 1)).float())),
        (as_ever, lambda: Drawing(lambda rows: torch.tensor([[random.random()] for _ in range(rows)]))),
    ],
)
def test_state_draws_and_side_ways_are_found_out_by_the_trial(encode, second, split):
    def model():
        torch.manual_seed(1)
        return pair(encode, second=second())

    def predicted(model, predict):
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)
        return [predict(variant) for variant in variants(split)]

    one, other = model(), model()
    memoised = MemoisedModel(one, split, ROWS)
    found = predicted(one, lambda variant: memoised.output(variant).prediction)
    assert not memoised.reused
    assert memoised.why
    assert all(map(torch.equal, found, predicted(other, lambda variant: alone(other, variant)))), (
        "the trial left traces"
    )
    assert all(torch.equal(x, other.state_dict()[name]) for name, x in one.state_dict().items())


def test_the_reason_is_told(split):
    assert "buffers" in MemoisedModel(pair(as_ever, second=Counting(False, matters=False)), split, ROWS).why
    assert "output" in MemoisedModel(pair(told, second=Told()), split, ROWS).why


def test_hidden_state_is_found_out(split):
    assert not MemoisedModel(pair(as_ever, second=Numbered()), split, ROWS).reused


def test_draws_after_fusion_leave_the_encoders_to_be_reused(split):
    def encode(self, one, other):
        one, other = self.first(one), self.second(other)
        return one + torch.randn_like(one), other

    model = pair(encode)
    memoised = MemoisedModel(model, split, ROWS)
    assert memoised.reused
    torch.manual_seed(3)
    found = [memoised.output(variant).prediction for variant in variants(split)]
    torch.manual_seed(3)
    assert all(map(torch.equal, found, [alone(model, variant) for variant in variants(split)]))


def test_the_trial_moves_no_random_stream(split):
    model = pair(as_ever, second=Drawing(lambda rows: torch.rand(rows, 1) + np.random.rand()))
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    MemoisedModel(model, split, ROWS)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


def test_parameters_that_are_not_the_modules_own_are_used(split):
    """Weights that one modality makes for the encoder of the other."""

    def encode(self, one, other):
        weight = self.second.layer.weight * one.mean()
        return self.first(one), functional_call(self.second, {"layer.weight": weight}, (other,))

    assert agrees(pair(encode), split).reused


def test_parameters_that_are_changed_between_variants_count(split):
    model = Pair()
    memoised = MemoisedModel(model, split, ROWS)
    memoised.output(split)
    with torch.no_grad():
        model.second.layer.weight.mul_(2)
    assert torch.equal(memoised.output(split).prediction, alone(model, split))


def test_data_that_are_changed_between_variants_count(split):
    model = Pair()
    memoised = MemoisedModel(model, split, ROWS)
    memoised.output(split)
    split.inputs.values["vector1"].mul_(2)
    assert torch.equal(memoised.output(split).prediction, alone(model, split))


def test_gradients_in_evaluation(split):
    def encode(self, one, other):
        with torch.enable_grad():
            encoded = self.second(other)
            slope = torch.autograd.grad(encoded.square().sum(), list(self.second.parameters()))[0]
        return self.first(one), encoded.detach() * slope.mean()

    assert agrees(pair(encode), split).reused


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_compiled_submodules_are_left_to_themselves(split):
    compiled = torch.compile(nn.Linear(5, 8), backend="eager")
    scripted = torch.jit.script(nn.Linear(5, 8))
    called = nn.Linear(5, 8)
    called.compile(backend="eager")
    for module in (compiled, scripted, called):
        model = pair(as_ever, second=module)
        assert agrees(model, split).reused  # the other encoder
        assert computed(model, split, [corrupted(split, "vector1", k) for k in (1, 2)])["vector0"] == [10, 10, 4]


def test_a_compiled_model_is_left_to_itself(split):
    model = Pair()
    model.forward = lambda inputs, original=model.forward: original(inputs)  # as compilers and wrappers do
    memoised = agrees(model, split)
    assert not memoised.reused
    assert "compiled" in memoised.why


def test_nothing_to_reuse_is_said(split):
    """One modality, or one encoder of everything."""
    single = make_task("classification", "vector")
    assert "untouched" in agrees(Late(single), make_split(single, 24)).why
    joint = pair(lambda self, one, other: (self.both(torch.cat([one, other], 1)), one.new_zeros(len(one), 8)))
    joint.both = nn.Linear(10, 8)
    assert "untouched" in agrees(joint, split).why


def test_a_model_that_fails_on_few_rows_does_without(split):
    def encode(self, one, other):
        if len(one) < 9:
            raise ValueError("too few rows")
        return self.first(one), self.second(other)

    memoised = agrees(pair(encode), split, rows=24)
    assert not memoised.reused
    assert "too few rows" in memoised.why


def test_the_model_is_itself_again_after_an_error(split):
    """An error in an encoder, whatever has been replaced at the time."""

    class Fails(nn.Linear):
        def forward(self, values):
            if values.isnan().any():
                raise FloatingPointError
            return super().forward(values)

    model = pair(as_ever, second=Fails(5, 8))
    expected, before = alone(model, split), {name: dict(vars(x)) for name, x in model.named_modules()}
    memoised = MemoisedModel(model, split, ROWS)
    values = {**split.inputs.values, "vector1": torch.full((24, 5), torch.nan)}
    with pytest.raises(FloatingPointError):
        memoised.output(replace(split, inputs=replace(split.inputs, values=values)))
    assert all(vars(x).keys() == before[name].keys() for name, x in model.named_modules())
    assert torch.equal(alone(model, split), expected)
    for variant in variants(split):
        assert torch.equal(memoised.output(variant).prediction, alone(model, variant))


def test_the_model_can_be_trained_and_saved_afterwards(split):
    model = Pair()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    agrees(model, split)
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(x, before[name]) for name, x in model.state_dict().items())
    model.train()
    model(split.inputs).prediction.sum().backward()
    assert all(x.grad is not None for x in model.parameters())


def test_it_evaluates_without_dropout_and_graph_whatever_the_mode(split):
    model = pair(as_ever, second=nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.5)))
    expected = alone(model, split)
    memoised = MemoisedModel(model.train(), split, ROWS)
    model.train()
    prediction = memoised.output(split).prediction
    assert torch.equal(prediction, expected)
    assert not prediction.requires_grad
    assert torch.is_grad_enabled()
    with torch.inference_mode():
        assert torch.equal(MemoisedModel(model, split, ROWS).output(split).prediction, expected)


def test_what_the_memory_has_no_room_for_is_computed_again(split):
    def encoded(memory):
        model = Pair()
        memoised = agrees(model, split, memory=memory)
        model.calls["vector1"].clear()
        for level in (1, 2):
            memoised.output(corrupted(split, "vector0", level))
        return sum(model.calls["vector1"])

    assert encoded(0) == 2 * 24
    assert encoded(2000) in (2 * 4, 2 * 14)  # one block or two found room
    assert encoded(2600) == 0  # the rows, what the encoders give, and nothing from inside them


def test_outputs_belong_to_the_caller(split):
    model = Late(PAIR)
    memoised = MemoisedModel(model, split, 24)
    for _ in range(3):
        output = memoised.output(split)
        assert torch.equal(output.prediction, alone(model, split, 24))
        for embedding in (*output.embeddings.values(), output.fused, output.prediction):
            embedding.zero_()


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_rows(rows):
    agrees(Late(TASK), make_split(TASK, rows))
