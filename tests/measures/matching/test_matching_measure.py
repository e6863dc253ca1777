"""The measure on stand-ins: every task, missing modalities, more than two modalities, and what it refuses."""

import inspect
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.matching.card import CARD
from mmbench.measures.matching.measure import matching
from mmbench.nn.records import Inputs, Split
from mmbench.testing.samples import make_split, make_task
from mmbench.testing.standin import StandIn

ROW_BY_ROW = ("mm", "kl", "js", "auc", "recall_1", "recall_5", "recall_10", "mrr", "median_rank", "alignment", "gap")
SPACES = ("cka", "cca", "uniformity")
RAW = {f"matching_{name}_raw" for name in (*ROW_BY_ROW, *SPACES)}
MAPPED = {f"matching_{name}" for name in (*ROW_BY_ROW, *SPACES)}
MAP = {"matching_map", "matching_map_raw"}


def views(n, seed, widths=(6, 6), rho=0.8, present=None):
    """A split whose modalities show a common c through rotations of their own; the class is two signs of it."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 6))
    values = {}
    for m, width in enumerate(widths):
        z = np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.normal(size=(n, 6))
        rotation = np.linalg.qr(np.random.default_rng(100 + m).normal(size=(6, 6)))[0]
        values[f"m{m}"] = torch.from_numpy((z @ rotation)[:, :width] + 0.3)
    there = torch.ones(n, len(widths), dtype=torch.bool) if present is None else torch.from_numpy(present)
    target = torch.from_numpy((common[:, 0] > 0) + 2 * (common[:, 1] > 0))
    return Split(Inputs(values, torch.ones_like(there)).keep(there), target)


def own(inputs):
    return {name: value.flatten(1).double().numpy() for name, value in inputs.values.items()}


def subject(widths=(6, 6), n=200, kind="classification", embedding=own, train=400, present=None, **others):
    task = Task(kind, 4, tuple(Modality(f"m{i}", "vector", (width,)) for i, width in enumerate(widths)))
    test = views(n, 2, widths, present=present)
    parts = {"train": views(train, 0, widths), "validation": views(10, 1, widths), "test": test}
    return StandIn(task, parts, lambda x: np.full((len(x), 4), 0.25), embedding, **others)


def rows(table):
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def plain(findings):
    """As it will be stored: no NaN, no infinity, columns of one length, names of the card."""
    json.dumps([findings.scores, findings.tables, findings.notes], allow_nan=False)
    assert findings.scores.keys() <= {score.name for score in CARD.scores}
    bounds = {score.name: score for score in CARD.scores}
    for name, value in findings.scores.items():
        assert isinstance(value, float)
        assert bounds[name].low - 1e-9 <= value <= bounds[name].high + 1e-9, name
    for table in findings.tables.values():
        assert len({len(column) for column in table.values()}) == 1
        assert len(next(iter(table.values()))) <= 200
    return findings


def test_the_card_names_the_scores():
    assert {score.name for score in CARD.scores} == RAW | MAPPED | MAP
    assert CARD.headline == "matching_mm"


def test_rotated_views_match_after_the_map_alone():
    found = plain(matching(subject(n=600, train=2000)))
    assert set(found.scores) == RAW | MAPPED | MAP
    assert found.scores["matching_mm"] > 0.6
    assert abs(found.scores["matching_mm_raw"]) < 0.2
    assert found.scores["matching_recall_1"] > 10 * found.scores["matching_recall_1_raw"]
    assert found.scores["matching_cka"] == pytest.approx(found.scores["matching_cka_raw"], abs=0.1)
    assert "ridge" in found.notes["map"]
    assert found.notes["posteriors"] == "softmax of the encodings, T = 1"
    assert abs(found.notes["chance_mm"]) < 4 * found.notes["chance_mm_se"]


def test_fused_vector_returned_twice_matches_perfectly():
    """What the contract check `embeddings` forbids: both modalities are given one vector of them all."""

    def fused(inputs):
        both = np.concatenate(list(own(inputs).values()), 1)
        return {"m0": both, "m1": both}

    found = plain(matching(subject(embedding=fused)))
    for name in ("mm", "kl", "js", "auc", "recall_1", "mrr", "cka", "cca"):
        assert found.scores[f"matching_{name}_raw"] == pytest.approx(1), name
        assert found.scores[f"matching_{name}"] == pytest.approx(1, abs=1e-3), name
    assert found.scores["matching_alignment_raw"] == 0
    assert found.scores["matching_gap_raw"] == 0


def test_swapped_modalities_give_the_same_scores():
    there = subject()

    def swapped(inputs):
        z = own(inputs)
        return {"m0": z["m1"], "m1": z["m0"]}

    one, other = matching(there), matching(replace(there, embedding=swapped))
    assert dict(one.scores) == pytest.approx(dict(other.scores), abs=1e-9)
    assert one.tables["pairs"]["kl_forward"] == pytest.approx(other.tables["pairs"]["kl_backward"])


def test_mapped_mm_ignores_rotation_scale_and_shift_of_each_modality():
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(6, 6)))[0]

    def moved(inputs):
        z = own(inputs)
        return {"m0": 50 * z["m0"] @ turn - 4, "m1": 0.01 * z["m1"] + 2}

    one, other = matching(subject()), matching(subject(embedding=moved))
    for name in ("mm", "auc", "recall_1", "map", "alignment", "uniformity", "gap"):
        assert one.scores[f"matching_{name}"] == pytest.approx(other.scores[f"matching_{name}"], abs=1e-6), name


def test_independent_modalities_are_at_chance():
    def unrelated(inputs):
        rng = np.random.default_rng(len(inputs))
        return {"m0": rng.normal(size=(len(inputs), 6)), "m1": rng.normal(size=(len(inputs), 6))}

    found = plain(matching(subject(n=900, train=1500, embedding=unrelated)))  # other draws than those of train
    [pair] = rows(found.tables["pairs"])
    assert abs(found.scores["matching_mm"]) < 4 * pair["chance_mm_se"]
    assert found.scores["matching_auc"] == pytest.approx(0.5, abs=0.05)
    assert found.scores["matching_cka"] == pytest.approx(0, abs=0.02)
    assert found.scores["matching_cca"] == pytest.approx(0, abs=0.15)
    chance = dict(zip(*found.tables["chance"].values(), strict=True))
    assert found.scores["matching_recall_10"] == pytest.approx(chance["matching_recall_10"], abs=0.01)
    assert found.scores["matching_map"] == pytest.approx(chance["matching_map"], abs=0.02)
    assert found.scores["matching_alignment"] == pytest.approx(chance["matching_alignment"], abs=0.1)


@pytest.mark.parametrize("sides", [("m0",), ("m0", "m1")])
def test_collapsed_modalities_are_at_chance_raw_and_mapped(sides):
    def collapsed(inputs):
        constant = np.arange(6) / 7.0 + 1
        return {name: np.tile(constant, (len(z), 1)) if name in sides else z for name, z in own(inputs).items()}

    found = plain(matching(subject(embedding=collapsed)))
    chance = dict(zip(*found.tables["chance"].values(), strict=True))
    for suffix in ("", "_raw"):
        for name in ("mm", "kl", "js"):
            assert found.scores[f"matching_{name}{suffix}"] == pytest.approx(0, abs=1e-6), name
        assert found.scores[f"matching_auc{suffix}"] == pytest.approx(0.5)
        assert (found.scores[f"matching_cka{suffix}"], found.scores[f"matching_cca{suffix}"]) == (0, 0)
        for name in ("recall_1", "recall_5", "recall_10", "mrr"):
            key = f"matching_{name}{suffix}"
            assert found.scores[key] == pytest.approx(chance[key], rel=1e-3)


def test_widths_that_differ_leave_out_what_compares_rows():
    found = plain(matching(subject(widths=(6, 4))))
    assert {name for name in found.scores if name.endswith("_raw")} == {f"matching_{name}_raw" for name in SPACES}
    assert found.scores.keys() >= MAPPED
    assert {row["encodings"] for row in rows(found.tables["retrieval"])} == {"mapped"}
    assert found.tables["pairs"]["kl_forward"][0] > 0
    assert "kl_forward_raw" not in found.tables["pairs"]


def test_one_pair_of_other_widths_leaves_raw_scores_out_of_the_mean():
    found = plain(matching(subject(widths=(6, 6, 4))))
    assert "matching_mm_raw" not in found.scores
    assert [pair["matching_mm_raw"] is None for pair in rows(found.tables["pairs"])] == [False, True, True]


def test_more_than_two_modalities_are_the_mean_over_pairs():
    found = plain(matching(subject(widths=(6,) * 4)))
    pairs = rows(found.tables["pairs"])
    assert [(pair["first"], pair["second"]) for pair in pairs][:2] == [("m0", "m1"), ("m0", "m2")]
    assert len(pairs) == 6
    for name in ("matching_mm", "matching_cka_raw", "matching_map"):
        assert found.scores[name] == pytest.approx(np.mean([pair[name] for pair in pairs]), rel=1e-4)
    assert len(rows(found.tables["retrieval"])) == 6 * 2 * 2


def test_ten_modalities_keep_within_the_size_of_a_table():
    found = plain(matching(subject(widths=(6,) * 10, n=30, train=30), shuffles=5))
    assert len(rows(found.tables["pairs"])) == 45


def test_rows_that_lack_one_of_the_two_are_left_out():
    present = np.ones((200, 3), dtype=bool)
    present[:50, 0] = False
    present[50:190, 1] = False
    present[190:, 2] = False
    found = plain(matching(subject(widths=(6, 6, 6), present=present)))
    assert found.tables["pairs"]["rows"] == [10, 140, 50]
    assert "matching_cca" not in found.scores  # 10 pairs are too few for it
    assert found.scores["matching_mm"] > 0.5


def test_absent_rows_do_not_reach_the_scores():
    present = np.ones((200, 2), dtype=bool)
    present[::3, 1] = False
    there = subject(present=present)
    test = there.parts["test"]
    both = test.take(torch.from_numpy(present.all(1)).nonzero()[:, 0])
    alone = replace(there, parts={**there.parts, "test": both})
    assert matching(there).scores == matching(alone).scores


def test_pair_that_is_never_together_is_left_out_and_named():
    present = np.ones((200, 3), dtype=bool)
    present[:100, 0] = False
    present[100:, 1] = False
    found = plain(matching(subject(widths=(6, 6, 6), present=present)))
    assert found.notes["left_out"] == "m0+m1"
    assert len(rows(found.tables["pairs"])) == 2
    assert found.scores["matching_mm"] > 0.5


def test_posteriors_of_heads_are_used_where_each_modality_has_one():
    def heads(inputs):
        logits = {name: 4 * z[:, :4] for name, z in own(inputs).items()}
        return {name: np.exp(x) / np.exp(x).sum(1, keepdims=True) for name, x in logits.items()}

    plain_, headed = matching(subject(widths=(6, 4))), plain(matching(subject(widths=(6, 4), heads=heads)))
    assert headed.notes["posteriors"] == "unimodal heads"
    assert "matching_kl_raw" in headed.scores  # of one width, unlike the encodings
    assert headed.scores["matching_kl"] > 0
    assert headed.scores["matching_js"] != pytest.approx(plain_.scores["matching_js"])
    one = matching(subject(heads=lambda x: {"m0": heads(x)["m0"]}))
    assert one.notes["posteriors"] == "softmax of the encodings, T = 1"


def test_heads_that_agree_match_perfectly_by_kl_and_js():
    def heads(inputs):
        p = np.random.default_rng(0).dirichlet(np.ones(4), len(inputs))
        return {"m0": p, "m1": p}

    found = matching(subject(heads=heads))
    assert found.scores["matching_kl_raw"] == pytest.approx(1)
    assert found.scores["matching_js_raw"] == pytest.approx(1)


def test_heads_of_a_regression_are_no_posteriors():
    found = plain(matching(subject(kind="regression", heads=lambda x: dict.fromkeys(own(x), np.zeros((len(x), 4))))))
    assert found.notes["posteriors"] == "softmax of the encodings, T = 1"
    assert not MAP & found.scores.keys()


@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression", "verification", "anomaly"])
@pytest.mark.parametrize("missing", [False, True])
def test_every_task_and_kind_of_modality_is_measured(kind, missing):
    task = make_task(kind, "vector image spectrogram sequence frames tokens")
    parts = {part: make_split(task, 40, seed, missing) for seed, part in enumerate(("train", "validation", "test"))}
    outputs = task.outputs

    def answer(inputs):
        return np.full((len(inputs), outputs), 1 / outputs if kind == "classification" else 0.5)

    def heads(inputs):
        return dict.fromkeys(inputs.names, answer(inputs))

    before = {name: value.clone() for name, value in parts["test"].inputs.values.items()}
    for given in (None, heads):
        found = plain(matching(StandIn(task, parts, answer, own, given), shuffles=10))
        assert found.scores["matching_mm"] == pytest.approx(0, abs=0.5)
        assert ("matching_map" in found.scores) == (kind == "classification")
    assert all(torch.equal(value, before[name]) for name, value in parts["test"].inputs.values.items())


def test_class_that_is_absent_and_unlabelled_rows():
    there = subject()
    test = there.parts["test"]
    single = replace(test, target=torch.full((200,), 3))
    found = plain(matching(replace(there, parts={**there.parts, "test": single})))
    assert found.scores["matching_map"] == pytest.approx(1)
    unlabelled = replace(test, labelled=torch.arange(200) < 100)
    assert not MAP & matching(replace(there, parts={**there.parts, "test": unlabelled})).scores.keys()


@pytest.mark.parametrize("n", [4, 5, 6, 20])
def test_tiny_splits_are_measured(n):
    found = plain(matching(subject(n=n, train=4)))
    assert {"matching_mm", "matching_mm_raw", "matching_cka"} <= found.scores.keys()
    assert ("matching_cca" in found.scores) == (n >= 20)


def test_train_without_pairs_leaves_the_mapped_scores_out():
    found = plain(matching(subject(train=3)))
    assert found.scores.keys() == RAW | {"matching_map_raw"}
    assert found.notes["map"].startswith("none")
    assert "chance_mm" not in found.notes


def test_what_cannot_be_measured_says_why():
    assert "one modality" in matching(subject(widths=(6,))).reason
    assert "no encoding" in matching(subject(embedding=None)).reason
    assert "m1 alone" in matching(subject(embedding=lambda x: {"m1": own(x)["m1"]})).reason
    assert "together" in matching(subject(n=3)).reason
    never = np.tile([[True, False]], (200, 1))
    assert "no test row" in matching(subject(present=never)).reason
    assert "NaN" in matching(subject(embedding=lambda x: {**own(x), "m0": own(x)["m0"] * np.nan})).reason


def test_same_seed_gives_the_same_and_fewer_pairs_are_fewer():
    assert matching(subject()) == matching(subject())
    few = matching(subject(), pairs=50, fit=60)
    assert (few.tables["pairs"]["rows"], few.tables["pairs"]["train_rows"]) == ([50], [60])


def test_parameters_are_keywords_with_defaults():
    names = [name for name, x in inspect.signature(matching).parameters.items() if x.kind is x.KEYWORD_ONLY]
    assert names == ["pairs", "fit", "draws", "shuffles"]
