"""Cost: FLOPs against counts by hand, what is not counted is listed, settings are restored, what is unknown is told."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmbench import FusionModel, FusionOutput, Head, ModalityEncoders
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.cost.card import CARD
from mmbench.measures.cost.flops import composed, count_flops
from mmbench.measures.cost.measure import cost
from mmbench.measures.subject import Effort
from mmbench.nn.functional import attention
from mmbench.nn.records import Split
from mmbench.testing.standin import StandIn

B, T, D, H = 2, 5, 8, 4
DOT = 2 * B * T * T * D  # scores of attention, or their product with the values


def flops(module, *inputs):
    return count_flops(lambda: module.eval()(*inputs))


def sequence(*shape):
    return torch.randn(*(shape or (B, T, D)), generator=torch.Generator().manual_seed(0))


# By hand.

LAYERS = {
    "linear": (nn.Linear(D, 3), (B, T, D), 2 * B * T * D * 3),
    "linear without bias": (nn.Linear(D, 3, bias=False), (B, T, D), 2 * B * T * D * 3),
    "convolution over time": (nn.Conv1d(D, 7, 3), (B, D, T), 2 * B * 7 * (T - 2) * D * 3),
    "convolution": (nn.Conv2d(3, 6, 3, padding=1), (B, 3, 8, 8), 2 * B * 6 * 64 * 3 * 9),
    "strided convolution": (nn.Conv2d(3, 6, 2, stride=2), (B, 3, 8, 8), 2 * B * 6 * 16 * 3 * 4),
    "depthwise convolution": (nn.Conv2d(6, 6, 3, padding=1, groups=6), (B, 6, 8, 8), 2 * B * 6 * 64 * 9),
    "GRU": (nn.GRU(D, H, batch_first=True), (B, T, D), 2 * B * T * 3 * H * (D + H)),
    "LSTM": (nn.LSTM(D, H, batch_first=True), (B, T, D), 2 * B * T * 4 * H * (D + H)),
    "two layers of both directions": (
        nn.LSTM(D, H, num_layers=2, bidirectional=True, batch_first=True),
        (B, T, D),
        2 * 2 * B * T * 4 * H * ((D + H) + (2 * H + H)),
    ),
    "cell of a GRU": (nn.GRUCell(D, H), (B, D), 2 * B * 3 * H * (D + H)),
    "cell of an LSTM": (nn.LSTMCell(D, H), (B, D), 2 * B * 4 * H * (D + H)),
    "transformer": (
        nn.TransformerEncoderLayer(D, 2, 16, batch_first=True),
        (B, T, D),
        2 * B * T * (D * 3 * D + D * D + 2 * D * 16) + 2 * DOT,
    ),
    "elementwise": (nn.Sequential(nn.ReLU(), nn.LayerNorm(D), nn.Softmax(-1)), (B, T, D), 0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_has_the_operations_counted_by_hand(name):
    layer, shape, expected = LAYERS[name]
    found = flops(layer, sequence(*shape))
    assert found.total == expected
    assert not found.uncounted


@pytest.mark.parametrize("mask", [None, torch.ones(B, T, dtype=torch.bool)])
@pytest.mark.parametrize("heads", [1, 2])
def test_attention_has_two_products_whatever_the_heads(mask, heads):
    x = sequence()
    found = count_flops(lambda: attention(x, x, x, mask, heads))
    assert found.total == 2 * DOT
    assert not found.uncounted


def test_attention_with_projections_has_theirs_too():
    layer, x = nn.MultiheadAttention(D, 2, batch_first=True), sequence()
    assert flops(layer, x, x, x).total == 2 * DOT + 2 * B * T * 4 * D * D


def test_operations_stand_beside_their_operator():
    found = flops(nn.Sequential(nn.Linear(D, 3), nn.Flatten(), nn.Unflatten(1, (3, T)), nn.Conv1d(3, 2, 1)), sequence())
    assert found.operators == {"addmm": 2 * B * T * D * 3, "convolution": 2 * B * T * 3 * 2}


def test_a_model_has_the_operations_of_torchs_own_counter():
    layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5)).eval()
    x = sequence(B, 1, 8, 8)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layers(x)
    assert flops(layers, x).total == counter.get_total_flops() > 0


def test_operations_within_inference_mode_count():
    layer, x = nn.Linear(D, 3), sequence()

    @torch.inference_mode()
    def forward():
        return layer(x) @ torch.ones(3, 2)

    found = count_flops(forward)
    assert (found.total, found.uncounted) == (2 * B * T * (D * 3 + 3 * 2), ())


def test_a_module_may_give_a_view_of_its_parameter():
    class Weights(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1, D))

        def forward(self, x):
            return self.weight.expand_as(x)

    inner, x = Weights(), sequence(B, D)
    assert count_flops(lambda: inner(x) @ x.T).total == 2 * B * B * D


# What is not counted.

WORK = {
    "mul (outer product)": lambda x: x[:, 0, :, None] * x[:, 1, None, :],
    "_linalg_svd": torch.linalg.svd,
    "_linalg_eigh": lambda x: torch.linalg.eigh(x.mT @ x),
    "linalg_cholesky_ex": lambda x: torch.linalg.cholesky(x.mT @ x + torch.eye(D)),
    "_linalg_solve_ex": lambda x: torch.linalg.solve(x[:, :, :T], x),
    "_cdist_forward": lambda x: torch.cdist(x, x),
    "_fft_r2c": torch.fft.rfft,
    "mv": lambda x: x[0].mv(x[0, 0]),
    "dot": lambda x: x[0, 0].dot(x[0, 1]),
    "_trilinear": nn.Bilinear(D, D, 3).eval(),
}


@pytest.mark.parametrize("name", WORK)
def test_work_without_a_formula_is_listed(name):
    arguments = (sequence(),) * (2 if name == "_trilinear" else 1)
    assert count_flops(lambda: WORK[name](*arguments)).uncounted == (name,)


def test_an_outer_product_by_einsum_is_listed_and_a_contraction_is_counted():
    x = sequence()
    assert count_flops(lambda: torch.einsum("bi,bj->bij", x[:, 0], x[:, 1])).uncounted == ("mul (outer product)",)
    found = count_flops(lambda: torch.einsum("bti,bi->bt", x, x[:, 1]))
    assert (found.total, found.uncounted) == (2 * B * T * D, ())


def test_light_work_is_not_listed():
    x = sequence()

    def light():
        y = torch.sqrt(x.abs()) * x.mean(1, keepdim=True)
        return nn.functional.leaky_relu(y).cumsum(1).max(), torch.lgamma(y.abs() + 1), y.norm(), 2 * y

    found = count_flops(light)
    assert (found.total, found.uncounted) == (0, ())


def test_an_operator_of_a_plugin_is_listed_with_its_namespace():
    with torch.library._scoped_library("mmbench_cost_test", "DEF") as library:
        library.define("twice(Tensor x) -> Tensor")
        library.impl("twice", lambda x: 2 * x, "CompositeExplicitAutograd")
        found = count_flops(lambda: torch.ops.mmbench_cost_test.twice(sequence()))
    assert found.uncounted == ("mmbench_cost_test::twice",)


# Settings.


def settings():
    cuda = torch.backends.cuda
    return [
        torch.backends.mha.get_fastpath_enabled(),
        torch.backends.mkldnn.enabled,
        torch.backends.cudnn.enabled,
        cuda.flash_sdp_enabled(),
        cuda.mem_efficient_sdp_enabled(),
        cuda.math_sdp_enabled(),
        torch.is_grad_enabled(),
    ]


def test_settings_are_restored_also_after_an_error():
    before = settings()

    def fail():
        assert settings() != before
        raise RuntimeError("a model's")

    flops(nn.Linear(D, 3), sequence())
    assert settings() == before
    with pytest.raises(RuntimeError, match="a model's"):
        count_flops(fail)
    assert settings() == before


def test_a_setting_that_was_off_stays_off():
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with composed():
            pass
        assert not torch.backends.mha.get_fastpath_enabled()
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


# The measure.

MODALITIES = (
    Modality("voice", "sequence", (12, 3)),
    Modality("face", "image", (1, 8, 8)),
    Modality("words", "tokens", (6,), vocabulary=20),
    Modality("age", "vector", (4,)),
)


class Late(FusionModel):
    def __init__(self, task):
        super().__init__()
        self.encode = ModalityEncoders(task, D)
        self.head = Head(task, D * len(task.modalities))
        self.head.requires_grad_(False)

    def forward(self, inputs):
        assert inputs.present.any(1).all()
        return FusionOutput(self.head(self.encode(inputs).concat()))


def subject(draw_inputs, modalities=MODALITIES[3:], rows=20, present=None, **others):
    task = Task("classification", 3, modalities)
    torch.manual_seed(0)
    model = Late(task).eval()
    inputs = draw_inputs(task, rows, dtype=torch.float32)
    split = Split(inputs if present is None else inputs.keep(present), torch.arange(rows) % 3)
    others.setdefault("model", model)
    return StandIn(task, {"train": split, "test": split}, lambda x: model(x).prediction.detach().numpy(), **others)


def test_parameters_and_operations_of_a_small_model(draw_inputs):
    found = cost(subject(draw_inputs))
    encoder, head = 4 * D + D + D * D + D, D * 3 + 3
    missing = D  # a learned token where a modality is absent
    assert found.scores["cost_trainable"] in (encoder, encoder + missing)
    assert found.scores["cost_parameters"] == found.scores["cost_trainable"] + head
    assert found.scores["cost_flops"] == 2 * (4 * D + D * D + D * 3)
    assert found.tables["operators"] == {"operator": ["addmm"], "flops": [found.scores["cost_flops"]]}
    assert found.notes["uncounted"] is None


@pytest.mark.parametrize("count", range(1, 5))
def test_operations_do_not_depend_on_the_number_of_rows(draw_inputs, count):
    one = subject(draw_inputs, MODALITIES[:count])
    per_sample = [cost(one, rows=rows).scores["cost_flops"] for rows in (1, 4, 16)]
    assert per_sample[0] == per_sample[1] == per_sample[2] > 0


def test_rows_without_any_modality_do_not_reach_the_model(draw_inputs):
    present = torch.zeros(20, 2, dtype=torch.bool)
    present[3, 0] = present[5, 1] = True
    found = cost(subject(draw_inputs, MODALITIES[2:], present=present))
    assert found.notes["rows"] == 2
    assert not found.notes["complete"]
    assert found.scores["cost_flops"] > 0
    present[:] = False
    found = cost(subject(draw_inputs, MODALITIES[2:], present=present))
    assert "cost_flops" not in found.scores
    assert found.notes["no_flops"]
    assert found.scores["cost_parameters"] > 0


def test_complete_rows_are_taken_where_there_are_such(draw_inputs):
    present = torch.ones(20, 2, dtype=torch.bool)
    present[:15, 1] = False
    found = cost(subject(draw_inputs, MODALITIES[2:], present=present))
    assert found.notes["rows"] == 5
    assert found.notes["complete"]


def test_times_and_memory_are_those_observed(draw_inputs):
    effort = Effort(5.0, 1.0, 3.0, 0.5, 0.25, 3 * 2**20, {"trainings": 2})
    found = cost(subject(draw_inputs, effort=effort))
    assert {name: value for name, value in found.scores.items() if name.endswith(("seconds", "mib"))} == {
        "cost_fit_seconds": 5.0,
        "cost_data_seconds": 1.0,
        "cost_steps_seconds": 3.0,
        "cost_judging_seconds": 0.5,
        "cost_predict_seconds": 0.25,
        "cost_peak_mib": 3.0,
    }
    assert found.notes["trainings"] == 2
    assert "not_observed" not in found.notes


def test_what_was_not_observed_is_told(draw_inputs):
    found = cost(subject(draw_inputs, effort=Effort(fit=5.0)))
    assert found.scores["cost_fit_seconds"] == 5.0
    assert "cost_data_seconds" not in found.scores
    assert "cost_peak_mib" in found.notes["not_observed"]


def test_an_estimator_without_a_model_has_its_times_alone(draw_inputs):
    found = cost(subject(draw_inputs, model=None, effort=Effort(fit=5.0)))
    assert found.scores == {"cost_fit_seconds": 5.0}
    assert found.notes["no_model"]
    assert cost(subject(draw_inputs, model=None)).reason


def test_the_model_and_the_random_streams_are_left_as_they_were(draw_inputs):
    one = subject(draw_inputs, MODALITIES)
    before = {name: x.clone() for name, x in one.model.state_dict().items()}
    stream = torch.get_rng_state()
    cost(one)
    assert torch.equal(stream, torch.get_rng_state())
    assert all(torch.equal(x, before[name]) for name, x in one.model.state_dict().items())
    assert not one.model.training


def test_no_cost_is_a_quality():
    assert not any(score.higher_is_better for score in CARD.scores)
    assert all(score.unit for score in CARD.scores)
