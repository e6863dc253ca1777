"""Soft targets and the odds barrier: closed forms, limits, and the state of the adaptive rule."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmbench_regularised.adaptive import AdaptiveSmooth, PenalisedSmooth, adaptive_smooth, closest_target, entropies
from mmbench_regularised.barrier import OddsBarrier
from mmbench_regularised.smooth import Smooth

from mmbench import Batch, Criterion, FusionOutput, MmbenchError, Split
from mmbench.core.parameters import parameters_of


def drawn(task, make_split, rows=12):
    split = make_split(task, rows, dtype=torch.float64)
    g = torch.Generator().manual_seed(3)
    logits = torch.randn(rows, task.outputs, generator=g, dtype=torch.float64)
    batch = Batch(split.inputs, split.target, torch.arange(rows), torch.zeros((), dtype=torch.float64))
    return split, batch, logits


def soft_loss(task, term, batch, logits):
    output = FusionOutput(prediction=logits)
    soft = term.targets(output, batch)
    return Criterion(task)(logits, Batch(batch.inputs, batch.target, batch.index, batch.epoch, soft))


def test_fixed_smoothing_is_torchs(make_task, make_split):
    task = make_task("classification", "vector", outputs=5)
    _, batch, logits = drawn(task, make_split)
    for epsilon in (0.1, 0.3):
        expected = F.cross_entropy(logits, batch.target, label_smoothing=epsilon)
        torch.testing.assert_close(soft_loss(task, Smooth(task, epsilon=epsilon), batch, logits), expected)


def test_fixed_smoothing_of_labels_is_between_their_values(make_task, make_split):
    task = make_task("multilabel", "vector")
    _, batch, logits = drawn(task, make_split)
    soft = Smooth(task, epsilon=0.2).targets(FusionOutput(prediction=logits), batch)
    torch.testing.assert_close(soft, torch.where(batch.target > 0, 0.9, 0.1).double())


def test_smoothing_adds_to_what_is_soft_already(make_task, make_split):
    task = make_task("classification", "vector")
    _, batch, logits = drawn(task, make_split)
    output = FusionOutput(prediction=logits)
    once = Smooth(task, epsilon=0.1).targets(output, batch)
    twice = Smooth(task, epsilon=0.2).targets(output, Batch(batch.inputs, batch.target, batch.index, batch.epoch, once))
    torch.testing.assert_close(twice, Smooth(task, epsilon=1 - 0.9 * 0.8).targets(output, batch))


def test_adaptive_target_minimises_its_objective(make_task):
    """min_q KL(q‖p̄) + λ(1 − q_y): against gradient descent on the simplex, and for labels on a grid."""
    task = make_task("classification", "vector", outputs=4)
    t = torch.tensor([[0.3, -1.0, 2.0, 0.5]], dtype=torch.float64)
    y = torch.tensor([[0.0, 1.0, 0.0, 0.0]], dtype=torch.float64)
    q = closest_target(task, t, y, 3.0)
    theta = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([theta], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-16)

    def objective():
        descent.zero_grad()
        log_q = theta.log_softmax(0)
        value = (log_q.exp() * (log_q - t[0].log_softmax(0))).sum() + 3.0 * (1 - log_q[1].exp())
        value.backward()
        return value

    for _ in range(5):
        descent.step(objective)
    torch.testing.assert_close(q[0], theta.detach().softmax(0), atol=1e-6, rtol=0)

    labels = make_task("multilabel", "vector", outputs=1)
    grid = torch.linspace(1e-4, 1 - 1e-4, 99_999, dtype=torch.float64)
    p = torch.tensor(0.7, dtype=torch.float64).sigmoid()
    for y_value in (0.0, 1.0):
        true = grid if y_value else 1 - grid
        cost = grid * (grid / p).log() + (1 - grid) * ((1 - grid) / (1 - p)).log() + 2.0 * (1 - true)
        best = grid[cost.argmin()]
        found = closest_target(labels, torch.tensor([[0.7]]).double(), torch.tensor([[y_value]]).double(), 2.0)
        assert found.item() == pytest.approx(best.item(), abs=1e-5)


def test_adaptive_targets_follow_the_logits_of_the_epoch_before(make_task, make_split):
    task = make_task("classification", "vector")
    split, batch, first = drawn(task, make_split)
    term = AdaptiveSmooth(task, rate=0.25, strength=2.0)
    term.begin(split)
    term.double().train()
    hard = F.one_hot(batch.target, 3).double()
    some = torch.tensor([7, 2, 4])
    part = Batch(split.inputs.take(some), split.target[some], some, batch.epoch)
    torch.testing.assert_close(term.targets(FusionOutput(prediction=first[some]), part), hard[some])
    after_one = 0.75 * hard[some] + 0.25 * (first[some] + 2 * hard[some]).softmax(1)
    second = first.flip(1)
    everything = term.targets(FusionOutput(prediction=second), batch)
    torch.testing.assert_close(everything[some], after_one)
    others = torch.tensor([i for i in range(12) if i not in (7, 2, 4)])
    torch.testing.assert_close(everything[others], hard[others])  # not seen before
    third = term.targets(FusionOutput(prediction=first), batch)
    torch.testing.assert_close(third[some], 0.75 * after_one + 0.25 * (second[some] + 2 * hard[some]).softmax(1))
    torch.testing.assert_close(third.sum(1), torch.ones(12).double())


def test_adaptive_state_is_still_in_eval_mode(make_task, make_split):
    task = make_task("multilabel", "vector")
    split, batch, logits = drawn(task, make_split)
    term = AdaptiveSmooth(task)
    term.begin(split)
    term.double().eval()
    for _ in range(2):
        torch.testing.assert_close(term.targets(FusionOutput(prediction=logits), batch), batch.target)


@pytest.mark.parametrize("kind", ["classification", "multilabel", "anomaly"])
def test_adaptive_with_great_strength_is_plain(make_task, make_split, kind):
    task = make_task(kind, "vector")
    split, batch, logits = drawn(task, make_split)
    term = AdaptiveSmooth(task, rate=1.0, strength=60.0)
    term.begin(split)
    term.double().train()
    for _ in range(3):
        torch.testing.assert_close(soft_loss(task, term, batch, logits), Criterion(task)(logits, batch))


def test_adaptive_loss_is_kl_up_to_a_constant(make_task, make_split):
    """Its gradient is that of Σ KL(μ‖p) − γ H(p)."""
    task = make_task("classification", "vector")
    split, batch, logits = drawn(task, make_split)
    term = PenalisedSmooth(task, rate=0.5, strength=1.0, entropy=0.3)
    term.begin(split)
    term.double().train()
    term.targets(FusionOutput(prediction=logits), batch)
    logits = (logits + 1).flip(0).requires_grad_()
    target = term.soft.clone()
    ours = soft_loss(task, term, batch, logits) + term(FusionOutput(prediction=logits), batch)
    log_p = logits.log_softmax(1)
    h = -(log_p.exp() * log_p).sum(1)
    expected = ((target * (target.log() - log_p)).sum(1) - 0.3 * h).mean()
    found, wanted = (torch.autograd.grad(x, logits, retain_graph=True)[0] for x in (ours, expected))
    torch.testing.assert_close(found, wanted)


def test_entropy_of_labels(make_task):
    task = make_task("multilabel", "vector", outputs=2)
    p = torch.tensor([[0.2, 0.9]], dtype=torch.float64)
    expected = sum(-(x * math.log(x) + (1 - x) * math.log(1 - x)) for x in (0.2, 0.9)) / 2
    assert entropies(task, p.logit()).item() == pytest.approx(expected)


def test_penalty_is_a_loss_and_its_absence_none(make_task):
    task = make_task("classification", "vector")
    assert type(adaptive_smooth(task)) is AdaptiveSmooth
    assert isinstance(adaptive_smooth(task, entropy=0.2), PenalisedSmooth)
    assert parameters_of(adaptive_smooth, "")["strength"].default == 3.0


def two_classes(p):
    """A batch of one row, its true class having probability p."""
    return FusionOutput(prediction=torch.tensor([[math.log(p), math.log(1 - p)]], dtype=torch.float64))


def barrier(task, make_split, strength):
    split = make_split(task, 1)
    batch = Batch(split.inputs, torch.zeros(1).long(), torch.arange(1), torch.zeros(()))
    term = OddsBarrier(task, strength=strength)
    return lambda p: term(two_classes(p), batch).item()


def test_odds_barrier_is_its_formula_and_has_its_minimum_there(make_task, make_split):
    task = make_task("classification", "vector", outputs=2)
    cost = barrier(task, make_split, 4.0)
    for p in (0.1, 0.5, 0.9, 0.999):
        assert cost(p) == pytest.approx(p / ((1 - p) * 4) - math.log(1 / (1 - p)), rel=1e-9)
    grid = [i / 1000 for i in range(1, 1000)]
    assert min(grid, key=cost) == 0.75
    assert min(grid, key=barrier(task, make_split, 2.0)) == 0.5
    assert cost(1 - 1e-9) == pytest.approx(cost(1 - 1e-4))  # clipped


def test_odds_barrier_of_labels_and_of_many_classes(make_task, make_split):
    for kind in ("classification", "multilabel", "anomaly"):
        task = make_task(kind, "vector", outputs=3)
        _, batch, logits = drawn(task, make_split)
        if kind == "classification":
            p = logits.softmax(1).gather(1, batch.target[:, None])
        else:
            p = torch.where(batch.target > 0, logits.sigmoid(), 1 - logits.sigmoid())
        expected = (p / ((1 - p) * 4) - (1 / (1 - p)).log()).mean()
        torch.testing.assert_close(OddsBarrier(task)(FusionOutput(prediction=logits), batch), expected)


@pytest.mark.parametrize("strength", [1.0, 0.5, -2.0])
def test_odds_barrier_without_a_minimum_is_refused(make_task, strength):
    with pytest.raises(MmbenchError, match="must be above 1"):
        OddsBarrier(make_task("classification", "vector"), strength=strength)


def test_targets_are_needed(make_task, make_split):
    task = make_task("classification", "vector")
    split, batch, _ = drawn(task, make_split)
    with pytest.raises(MmbenchError, match="makes none in training"):
        Smooth(task).targets(FusionOutput(), batch)
    with pytest.raises(MmbenchError, match="the split has none"):
        AdaptiveSmooth(task).begin(Split(split.inputs))
