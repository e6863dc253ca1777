"""The head's shapes, and the criterion against torch's own losses."""

import pytest
import torch
import torch.nn.functional as F

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.nn.heads import Criterion, Head
from mmbench.nn.records import Batch, Inputs

X = (Modality("x", "vector", (2,)),)
B, K = 12, 4


def task(kind, outputs=K):
    return Task(kind, outputs, X)


def batch(target, soft=None, labelled=None):
    rows = B if target is None else len(target)
    inputs = Inputs({"x": torch.zeros(rows, 2)}, torch.ones(rows, 1, dtype=torch.bool))
    return Batch(inputs, target, torch.arange(rows), torch.zeros(()), soft, labelled)


@pytest.fixture
def drawn():
    """Logits, classes, labels and row weights."""
    source = torch.Generator().manual_seed(0)
    logits = torch.randn(B, K, generator=source, dtype=torch.float64)
    classes = torch.randint(0, K, (B,), generator=source)
    labels = torch.randint(0, 2, (B, K), generator=source).double()
    return logits, classes, labels, torch.rand(B, generator=source, dtype=torch.float64)


@pytest.mark.parametrize(("hidden", "numbers"), [(0, 8 * K + K), (16, 8 * 16 + 16 + 16 * K + K)])
def test_a_head_is_linear_or_has_one_hidden_layer(hidden, numbers):
    head = Head(task("classification"), 8, hidden)
    assert head(torch.zeros(5, 8)).shape == (5, K)
    assert sum(p.numel() for p in head.parameters()) == numbers


def test_a_hidden_head_drops_out_in_training_alone():
    torch.manual_seed(0)
    head, x = Head(task("classification"), 8, hidden=64, dropout=0.5), torch.randn(5, 8)
    assert not torch.equal(head(x), head(x))
    head.eval()
    assert torch.equal(head(x), head(x))


def test_the_criterion_of_classes_is_cross_entropy(drawn):
    logits, classes, _, weight = drawn
    criterion = Criterion(task("classification"))
    torch.testing.assert_close(criterion(logits, batch(classes)), F.cross_entropy(logits, classes))
    rows = F.cross_entropy(logits, classes, reduction="none")
    weighted = criterion(logits, batch(classes), weight)
    torch.testing.assert_close(weighted, (rows * weight).sum() / weight.sum())


def test_the_criterion_of_labels_is_binary_cross_entropy(drawn):
    logits, _, labels, _ = drawn
    for kind in ("multilabel", "anomaly", "verification"):
        k = K if kind == "multilabel" else 1
        value = Criterion(task(kind, k))(logits[:, :k], batch(labels[:, :k]))
        torch.testing.assert_close(value, F.binary_cross_entropy_with_logits(logits[:, :k], labels[:, :k]))


def test_the_criterion_of_values_is_the_mean_squared_error(drawn):
    logits, _, labels, _ = drawn
    torch.testing.assert_close(Criterion(task("regression"))(logits, batch(labels)), F.mse_loss(logits, labels))


def test_soft_targets_of_label_smoothing_give_torchs_label_smoothing(drawn):
    logits, classes, _, _ = drawn
    soft = 0.9 * F.one_hot(classes, K).double() + 0.1 / K
    value = Criterion(task("classification"))(logits, batch(classes, soft))
    torch.testing.assert_close(value, F.cross_entropy(logits, classes, label_smoothing=0.1))


def test_soft_targets_go_before_hard_ones(drawn):
    logits, classes, labels, _ = drawn
    one_hot = F.one_hot((classes + 1) % K, K).double()
    value = Criterion(task("classification"))(logits, batch(classes, one_hot))
    torch.testing.assert_close(value, F.cross_entropy(logits, (classes + 1) % K))
    value = Criterion(task("multilabel"))(logits, batch(labels, 1 - labels))
    torch.testing.assert_close(value, F.binary_cross_entropy_with_logits(logits, 1 - labels))


def test_equal_weights_are_none(drawn):
    logits, classes, _, _ = drawn
    criterion = Criterion(task("classification"))
    torch.testing.assert_close(
        criterion(logits, batch(classes), torch.full((B,), 3.0)), criterion(logits, batch(classes))
    )


def test_a_row_of_weight_zero_is_not_there(drawn):
    logits, classes, _, weight = drawn
    weight[3:] = 0
    criterion = Criterion(task("classification"))
    few = criterion(logits[:3], batch(classes[:3]), weight[:3])
    torch.testing.assert_close(criterion(logits, batch(classes), weight), few)


def test_rows_without_a_label_are_not_there(drawn):
    logits, classes, labels, weight = drawn
    labelled = torch.arange(B) % 3 == 0
    for kind, target in (("classification", classes), ("multilabel", labels), ("regression", labels)):
        criterion = Criterion(task(kind))
        part = criterion(logits[labelled], batch(target[labelled]))
        torch.testing.assert_close(criterion(logits, batch(target, labelled=labelled)), part)
        part = criterion(logits[labelled], batch(target[labelled]), weight[labelled])
        torch.testing.assert_close(criterion(logits, batch(target, labelled=labelled), weight), part)


def test_no_labelled_row_is_no_loss_and_no_gradient(drawn):
    logits, classes, _, _ = drawn
    logits.requires_grad_()
    loss = Criterion(task("classification"))(logits, batch(classes, labelled=torch.zeros(B, dtype=torch.bool)))
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


def test_balance_weighs_classes(drawn):
    logits, classes, labels, _ = drawn
    balance = torch.tensor([1.0, 2.0, 0.5, 4.0], dtype=torch.float64)
    rows = F.cross_entropy(logits, classes, reduction="none") * balance[classes]
    torch.testing.assert_close(Criterion(task("classification"), balance)(logits, batch(classes)), rows.mean())
    expected = F.binary_cross_entropy_with_logits(logits, labels, pos_weight=balance)
    torch.testing.assert_close(Criterion(task("multilabel"), balance)(logits, batch(labels)), expected)


def test_balance_is_state():
    balance = torch.ones(K)
    assert "balance" in Criterion(task("classification"), balance).state_dict()
    assert Criterion(task("classification")).state_dict() == {}


def test_without_targets_there_is_no_criterion(drawn):
    with pytest.raises(ValueError, match="needs targets"):
        Criterion(task("classification"))(drawn[0], batch(None))
