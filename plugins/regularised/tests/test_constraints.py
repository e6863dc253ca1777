"""The four similarity constraints against plain loops and known values."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from mmbench_regularised.graph import distances, heat_kernel
from mmbench_regularised.instances import Instances
from mmbench_regularised.labels import Labels, cooccurrence, relatedness
from mmbench_regularised.laplacian import Laplacian
from mmbench_regularised.supcon import SupCon
from mmbench_regularised.targets import jaccard

from mmbench import Batch, FusionOutput, Inputs, MmbenchError, Modality, Split

BUILD = {"supcon": SupCon, "laplacian": Laplacian, "instances": Instances, "labels": Labels}
ROWS, WIDTH = 14, 5


def drawn(task, make_split, missing=True, seed=0):
    """Embeddings and a batch in float64; one row in five is unlabelled."""
    split = make_split(task, ROWS, seed, missing=missing, dtype=torch.float64)
    g = torch.Generator().manual_seed(seed + 1)
    embeddings = {n: torch.randn(ROWS, WIDTH, generator=g, dtype=torch.float64) for n in task.names}
    known = torch.arange(ROWS) % 5 != 3
    clock = torch.zeros((), dtype=torch.float64)
    return embeddings, Batch(split.inputs, split.target, torch.arange(ROWS), clock, labelled=known)


def points_of(task, embeddings, batch):
    """[(sample, modality, unit z)] that are present and labelled."""
    return [
        (i, m, F.normalize(embeddings[name][i], dim=0))
        for i in range(ROWS)
        for m, name in enumerate(task.names)
        if batch.inputs.present[i, m] and batch.labelled[i]
    ]


def overlap(task, target, i, j):
    if task.kind == "classification":
        return float(target[i] == target[j])
    a, b = (set(target[k].nonzero().flatten().tolist()) for k in (i, j))
    return len(a & b) / len(a | b) if a | b else 1.0


@pytest.mark.parametrize("modalities", ["vector", "vector vector", "vector image tokens"])
@pytest.mark.parametrize("kind", ["classification", "multilabel", "anomaly"])
def test_supcon_is_the_double_loop(make_task, make_split, kind, modalities):
    task = make_task(kind, modalities)
    embeddings, batch = drawn(task, make_split)
    points, losses = points_of(task, embeddings, batch), []
    for i, m, z in points:
        others = [p for p in points if p[:2] != (i, m)]
        total = sum(math.exp(z @ a / 0.2) for _, _, a in others)
        found = [(overlap(task, batch.target, i, j), math.log(math.exp(z @ p / 0.2) / total)) for j, _, p in others]
        weight = sum(w for w, _ in found)
        if weight:
            losses.append(-sum(w * x for w, x in found) / weight)
    term = SupCon(task, temperature=0.2)
    expected = sum(losses) / len(losses)
    assert term(FusionOutput(embeddings=embeddings), batch).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kind", ["classification", "multilabel"])
def test_instances_is_the_double_loop(make_task, make_split, kind):
    task = make_task(kind, "vector image tokens")
    embeddings, batch = drawn(task, make_split)
    points, losses = points_of(task, embeddings, batch), []
    at = {(i, m): z for i, m, z in points}
    for (i, m), z in at.items():
        for n in range(3):
            if n == m or (i, n) not in at:
                continue
            others = {j: overlap(task, batch.target, i, j) for j in range(ROWS) if (j, n) in at}
            others = {j: w for j, w in others.items() if w}
            if len(others) > 1:
                total = sum(w * math.exp(z @ at[j, n] / 0.3) for j, w in others.items())
                losses.append(math.log(total) - (z @ at[i, n]).item() / 0.3)
    out = Instances(task, temperature=0.3)(FusionOutput(embeddings=embeddings), batch)
    assert out.item() == pytest.approx(sum(losses) / len(losses), rel=1e-10)


def test_instances_of_equal_embeddings_is_the_log_of_their_number(make_task, make_split):
    """InfoNCE is log N for constant similarities: 2.7726 at N = 16."""
    task = make_task("classification", "vector vector", outputs=2)
    inputs = make_split(task, 16).inputs
    same = {name: torch.ones(16, 4) for name in task.names}
    for target, expected in ((torch.zeros(16).long(), 2.7726), (torch.arange(16) % 2, math.log(8))):
        batch = Batch(inputs, target, torch.arange(16), torch.zeros(()))
        assert Instances(task)(FusionOutput(embeddings=same), batch).item() == pytest.approx(expected, abs=5e-5)


def test_contrast_within_and_across_classes(make_task, make_split):
    """SupCon is least where classes are points, which is where telling their instances apart is hardest."""
    task = make_task("classification", "vector vector")
    inputs = make_split(task, 12).inputs
    batch = Batch(inputs, torch.arange(12) % 3, torch.arange(12), torch.zeros(()))
    collapsed = dict.fromkeys(task.names, F.one_hot(torch.arange(12) % 3, 12).float())
    distinct = dict.fromkeys(task.names, torch.eye(12))
    for term, low, high in ((SupCon(task), collapsed, distinct), (Instances(task), distinct, collapsed)):
        assert term(FusionOutput(embeddings=low), batch) < term(FusionOutput(embeddings=high), batch) - 1


@pytest.mark.parametrize("modalities", ["vector", "vector image tokens", "sequence frames"])
def test_laplacian_is_a_trace(make_task, make_split, modalities):
    task = make_task("regression", modalities)
    embeddings, batch = drawn(task, make_split)
    graph = heat_kernel(*distances(batch.inputs, task.modalities, torch.float64), 4)
    torch.testing.assert_close(graph, graph.T)
    trace, pairs, weight = 0.0, 0.0, 0.0
    for m, name in enumerate(task.names):
        here = batch.inputs.present[:, m].double()
        s = graph * here[:, None] * here
        z = F.normalize(embeddings[name], dim=1)
        trace += torch.trace(z.T @ (torch.diag(s.sum(1)) - s) @ z)
        pairs += (s * torch.cdist(z, z).square()).sum() / 2
        weight += s.sum()
    term = Laplacian(task, neighbours=4)(FusionOutput(embeddings=embeddings), batch)
    torch.testing.assert_close(term, trace / weight)
    torch.testing.assert_close(term, pairs / weight)


def test_graph_joins_nearest_neighbours_either_way():
    x = torch.tensor([0.0, 1.0, 1.5, 4.0, 10.0], dtype=torch.float64)
    squared = (x[:, None] - x).square()
    allowed = ~torch.eye(5, dtype=torch.bool)
    graph = heat_kernel(squared, allowed, 1)
    joined = {(0, 1), (1, 2), (2, 3), (3, 4)}
    assert {(i, j) for i, j in graph.nonzero().tolist() if i < j} == joined
    spread = sum((x[i] - x[j]) ** 2 for i, j in joined) / len(joined)
    assert graph[2, 3].item() == pytest.approx(math.exp(-(2.5**2) / spread))
    assert not heat_kernel(squared, allowed & ~allowed, 10).any()


def test_distances_give_modalities_the_same_say(make_task, make_split):
    task = make_task("classification", "vector vector")
    split = make_split(task, 20, dtype=torch.float64)
    values = dict(split.inputs.values)
    scaled = replace(split.inputs, values={**values, "vector0": 1000 * values["vector0"]})
    for a, b in zip(*(distances(i, task.modalities, torch.float64) for i in (split.inputs, scaled)), strict=True):
        torch.testing.assert_close(a, b)
    squared, allowed = distances(split.inputs, task.modalities, torch.float64)
    assert squared[allowed].mean().item() == pytest.approx(1.0)
    only = torch.tensor([[True, False], [False, True]] * 10)
    apart = distances(split.inputs.keep(only), task.modalities, torch.float64)[1]
    assert not apart[0, 1]
    assert apart[0, 2]
    assert not apart.diagonal().any()


@pytest.mark.parametrize("kind", ["classification", "multilabel", "anomaly"])
def test_labels_is_the_double_loop(make_task, make_split, kind):
    task = make_task(kind, "vector vector")
    embeddings, batch = drawn(task, make_split)
    term = Labels(task, margin=1.2).double()
    term.begin(Split(batch.inputs, batch.target, batch.labelled))
    y = batch.target if kind != "classification" else F.one_hot(batch.target, 3).double()
    points, total, count = points_of(task, embeddings, batch), 0.0, 0
    for i, m, a in points:
        for j, n, b in points:
            if (i, m) == (j, n):
                continue
            scale = (y[i] @ term.related @ y[i]).sqrt() * (y[j] @ term.related @ y[j]).sqrt()
            r = y[i] @ term.related @ y[j] / scale if scale else float(y[i].sum() == y[j].sum())
            d = (a - b).norm()
            total, count = total + r * d**2 + (1 - r) * max(0, 1.2 - d) ** 2, count + 1
    torch.testing.assert_close(term(FusionOutput(embeddings=embeddings), batch), total / count)


def test_relatedness_of_labels():
    """Labels 0 and 1 always occur together, 2 apart from them; 3 never occurs."""
    sets = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]).double()
    related = cooccurrence(sets)
    block = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]).double()
    torch.testing.assert_close(related, block)
    asked = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]).double()
    torch.testing.assert_close(relatedness(asked, related), block)


def test_jaccard_of_label_sets():
    sets = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]).double()
    expected = [[1, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    torch.testing.assert_close(jaccard(sets), torch.tensor(expected).double())
    one = torch.tensor([[1.0], [0.0], [1.0]])
    assert jaccard(one).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize("name", BUILD)
@pytest.mark.parametrize("kind", ["classification", "multilabel"])
def test_absent_and_unlabelled_take_no_part_and_gradients_are_finite(make_task, make_split, name, kind):
    task = make_task(kind, "vector vector vector")
    embeddings, batch = drawn(task, make_split)
    term = BUILD[name](task).double()
    leaves = {n: x.clone().requires_grad_() for n, x in embeddings.items()}
    with torch.no_grad():  # as at the start, where all missing tokens are zero; and two samples that coincide
        for m, (n, x) in enumerate(leaves.items()):
            x[~batch.inputs.present[:, m]] = 0
            x[1] = leaves["vector0"][0]
            assert n == task.names[m]
    loss = term(FusionOutput(embeddings=leaves), batch)
    loss.backward()
    here = batch.inputs.present if name == "laplacian" else batch.inputs.present & batch.labelled[:, None]
    for m, x in enumerate(leaves.values()):
        assert x.grad.isfinite().all()
        assert (x.grad[~here[:, m]] == 0).all()
        assert x.grad[here[:, m]].any()
    other = {n: torch.where(here[:, m, None], x, 7.0) for m, (n, x) in enumerate(leaves.items())}
    target = torch.where(batch.labelled.reshape(-1, *[1] * (batch.target.dim() - 1)), batch.target, 1)
    again = term(FusionOutput(embeddings=other), replace(batch, target=target))
    torch.testing.assert_close(again, loss)


@pytest.mark.parametrize("name", BUILD)
def test_a_batch_without_pairs_costs_nothing(make_task, make_split, name):
    task = make_task("classification", "vector vector")
    split = make_split(task, 1)
    batch = Batch(split.inputs.without("vector1"), split.target, torch.arange(1), torch.zeros(()))
    x = {n: torch.randn(1, 4, requires_grad=True) for n in task.names}
    loss = BUILD[name](task)(FusionOutput(embeddings=x), batch)
    loss.backward()
    assert loss == 0
    assert all(e.grad.isfinite().all() for e in x.values())


@pytest.mark.parametrize("name", BUILD)
def test_models_that_lack_what_a_constraint_reads_are_refused(make_task, make_split, name):
    task = make_task("classification", "vector vector")
    split = make_split(task, 4)
    batch = Batch(split.inputs, split.target, torch.arange(4), torch.zeros(()))
    term = BUILD[name](task)
    with pytest.raises(MmbenchError, match=f"{name} needs embeddings"):
        term(FusionOutput(prediction=torch.zeros(4, 3)), batch)
    uneven = FusionOutput(embeddings={"vector0": torch.ones(4, 3), "vector1": torch.ones(4, 5)})
    if name == "laplacian":
        term(uneven, batch)
    else:
        with pytest.raises(MmbenchError, match="embeddings of one width"):
            term(uneven, batch)
    single = FusionOutput(embeddings={"vector0": torch.randn(4, 3)})
    if name == "instances":
        with pytest.raises(MmbenchError, match="of 2 or more modalities"):
            term(single, batch)
    else:
        assert term(single, batch).isfinite()


def test_neighbours_in_one_modality_draw_the_other_together():
    """Two clusters in modality a: S joins them alone, whatever b's embeddings are."""
    a = torch.tensor([[0.0], [0.1], [5.0], [5.1]])
    inputs = Inputs({"a": a}, torch.ones(4, 1, dtype=torch.bool))
    graph = heat_kernel(*distances(inputs, [Modality("a", "vector", (1,))], torch.float32), 1)
    assert {tuple(pair) for pair in graph.nonzero().tolist()} == {(0, 1), (1, 0), (2, 3), (3, 2)}
