"""Interactive, joint and temporal attention against torch's own layers and their formulas."""

import pytest
import torch
from mmbench_bitower.clock import Resample, overlaps, steps_of
from mmbench_bitower.interactive import InteractiveAttention
from mmbench_bitower.joint import JointAttention, affinity, attend
from mmbench_bitower.temporal import Cell, Listen, TemporalAttention
from mmbench_bitower.tokens import shorten
from torch import nn

from mmbench import Modality, Task, masked_mean

ATTENTIONS = [InteractiveAttention, JointAttention, TemporalAttention]


def build(kind, task, **options):
    torch.manual_seed(0)
    return kind(task, width=8, hidden=8, **options).double().eval()


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_one_modality_has_no_attention(make_task, make_split, kind):
    task = make_task("classification", "vector")
    model = build(kind, task)
    parts = {name.partition(".")[0] for name, _ in model.named_parameters()}
    assert parts == ({"encode", "head", "cell"} if kind is TemporalAttention else {"encode", "head"})
    if kind is not TemporalAttention:
        output = model(make_split(task, 4, dtype=torch.float64).inputs)
        assert torch.equal(output.fused, output.embeddings["vector0"])


def test_interactive_is_multihead_attention_with_zero_attn(make_task, make_split):
    """One head without a projection at the end; ``add_zero_attn`` is the sentinel."""
    task = make_task("classification", "sequence tokens")
    model = build(InteractiveAttention, task)
    inputs = make_split(task, 6, dtype=torch.float64).inputs
    encoded = model.encode(inputs)
    parts = []
    for one, other, asks, answers in (("sequence0", "tokens1", 0, 1), ("tokens1", "sequence0", 1, 0)):
        reference = nn.MultiheadAttention(8, 1, add_zero_attn=True, batch_first=True).double().eval()
        weights = [model.project[m].weight.chunk(3) for m in (asks, answers)]
        biases = [model.project[m].bias.chunk(3) for m in (asks, answers)]
        with torch.no_grad():
            reference.in_proj_weight.copy_(torch.cat([weights[0][0], *weights[1][1:]]))
            reference.in_proj_bias.copy_(torch.cat([biases[0][0], *biases[1][1:]]))
            reference.out_proj.weight.copy_(torch.eye(8))
        theirs = encoded.tokens[other]
        found, _ = reference(encoded.tokens[one], theirs, theirs, key_padding_mask=~encoded.masks[other])
        parts.append(encoded.vectors[one] + masked_mean(found, encoded.masks[one]))
    torch.testing.assert_close(model(inputs).fused, torch.cat(parts, 1))


def test_joint_affinity_is_read_in_both_directions(make_task, make_split):
    task = make_task("classification", "sequence tokens")
    model = build(JointAttention, task)
    inputs = make_split(task, 6, missing=True, dtype=torch.float64).inputs
    encoded = model.encode(inputs)
    h = list(encoded.tokens.values())
    masks = list(encoded.masks.values())
    a = (h[0] @ model.weight @ h[1].transpose(1, 2)).tanh().exp()

    def context(weights, mask, tokens, mine):  # the sentinel adds e^0 below, and nothing above
        weights = weights * mask[:, None]
        return masked_mean(weights / (1 + weights.sum(-1, keepdim=True)) @ tokens, mine)

    first = context(a, masks[1], h[1], masks[0])
    second = context(a.transpose(1, 2), masks[0], h[0], masks[1])
    vectors = list(encoded.vectors.values())
    torch.testing.assert_close(model(inputs).fused, torch.cat([vectors[0], first, vectors[1], second], 1))


def test_joint_attends_to_others_alone():
    modality = torch.tensor([0, 0, 1, 2, 2])
    a = affinity(torch.randn(3, 5, 4), torch.randn(4, 4), modality)
    others = (modality[:, None] != modality).float()
    torch.testing.assert_close(a * others, a.transpose(1, 2) * others)
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 0, 0, 1, 1], [0, 0, 0, 1, 1]]).bool()
    weights = attend(a, mask, modality)
    assert not weights[:, modality[:, None] == modality].any()
    assert not weights[~mask[:, None].expand(-1, 5, -1)].any()
    assert (weights.sum(-1) < 1).all()
    assert not weights[2, 3:].any()  # nobody else is there


@pytest.mark.parametrize("kind", [InteractiveAttention, JointAttention])
def test_single_tokens_can_be_left_out(make_task, make_split, kind):
    """What a vector takes from another depends on both: without the sentinel it would take all of it."""
    task = make_task("classification", "vector vector")
    model = build(kind, task)
    split = make_split(task, 32, dtype=torch.float64)
    model(split.inputs).prediction.square().sum().backward()
    assert all(p.grad.any() for name, p in model.named_parameters() if name != "encode.missing")


def test_cell_is_a_gru():
    torch.manual_seed(0)
    cell = Cell(5, 7)
    x, state = torch.randn(3, 5), torch.randn(3, 7)
    reference = nn.GRUCell(5, 7)
    reference.load_state_dict(cell.state_dict())
    torch.testing.assert_close(cell(x, state), reference(x, state))


def test_weights_are_recomputed_from_the_state():
    torch.manual_seed(0)
    listen = Listen(4)
    x, here = torch.randn(2, 3, 4), torch.tensor([[True, True, False], [False, False, False]])
    one, other = (listen(listen.token(x), state, here) for state in (torch.zeros(2, 4), torch.ones(2, 4)))
    torch.testing.assert_close(one.sum(1), torch.ones(2))
    assert one[0, 2] == other[0, 2] == 0
    assert not torch.allclose(one[0], other[0])
    expected = listen.score((listen.token(x) + listen.state(torch.ones(4))).tanh())[0, :2, 0].softmax(0)
    torch.testing.assert_close(other[0, :2], expected)


def sequence(steps, rate):
    return Modality("s", "sequence", (steps, 2), rate=rate)


def test_one_clock():
    slow, fast = sequence(3, 1.0), sequence(6, 2.0)
    assert steps_of([slow, fast], 32) == 6
    assert steps_of([slow, fast], 4) == 4
    assert torch.equal(overlaps(fast, 3.0, 6), torch.eye(6))
    torch.testing.assert_close(overlaps(slow, 3.0, 6), torch.eye(3).repeat_interleave(2, 0))
    torch.testing.assert_close(overlaps(fast, 3.0, 3), 0.5 * torch.eye(3).repeat_interleave(2, 1))
    assert overlaps(sequence(24, 44.1), 24 / 44.1, 24).count_nonzero() == 24  # no overlap by rounding


def test_frames_past_the_end_do_not_count():
    x = torch.arange(6.0).reshape(1, 6, 1)
    mask = torch.tensor([[True, True, True, False, False, False]])
    resampled, here = Resample(sequence(6, 2.0), 3.0, 3)(x, mask)
    assert here.tolist() == [[True, True, False]]
    assert resampled.flatten().tolist() == [0.5, 2.0, 0.0]


def test_temporal_is_a_plain_recurrence(make_split):
    """One sequence: the mean of a GRU's states over its frames."""
    task = Task("classification", 3, (Modality("s", "sequence", (6, 3)),))
    model = build(TemporalAttention, task)
    inputs = make_split(task, 5, dtype=torch.float64).inputs
    gru = nn.GRU(8, 8, batch_first=True).double()
    gru.load_state_dict({f"{name}_l0": value for name, value in model.cell.state_dict().items()})
    encoded = model.encode(inputs)
    states, _ = gru(encoded.tokens["s"])
    torch.testing.assert_close(model(inputs).fused, masked_mean(states, encoded.masks["s"]))


def test_neighbours_are_averaged():
    x = torch.arange(5.0).reshape(1, 5, 1)
    mask = torch.tensor([[True, True, True, False, False]])
    tokens, kept = shorten(x, mask, 3)
    assert tokens.flatten().tolist() == [0.5, 2.0, 0.0]
    assert kept.tolist() == [[True, True, False]]
    assert shorten(x, mask, 5)[0] is x
