"""v(S): what becomes of the modalities outside a coalition, and the main metric of what is predicted then."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.measures.coalitions import coalition_values, coalitions_of, prior_value, rows_within
from mmbench.measures.contribution.measure import contribution
from mmbench.measures.missing.measure import missing
from mmbench.nn.records import Inputs, Split
from mmbench.testing.samples import make_split, make_task
from mmbench.testing.standin import StandIn

MEASURES = [missing, partial(contribution, permutations=1)]
ALL_KINDS = "vector image spectrogram sequence frames tokens"
MECHANISMS = ("masked", "permuted", "mean")
NONE = frozenset()


def mean_of_all(outputs):
    """A method whose answer depends on everything that is there."""

    def answer(inputs):
        total = sum(value.double().reshape(len(inputs), -1).mean(1) for value in inputs.values.values())
        scores = torch.stack([total * (k + 1) for k in range(outputs)], 1)
        return scores.softmax(1).numpy()

    return answer


def watched(subject):
    """The base and the variant of every prediction."""
    seen, inner = [], subject.predictor

    def predictor(base):
        predict = inner(base)
        return lambda inputs: seen.append((base.inputs, inputs)) or predict(inputs)

    subject.predictor = predictor
    return seen


def random_subject(kinds=ALL_KINDS, rows=40, missing=True, kind="classification"):
    task = make_task(kind, kinds)
    parts = {
        "train": make_split(task, 30, 1, missing),
        "validation": make_split(task, 5, 2, missing),
        "test": make_split(task, rows, 3, missing),
    }
    return StandIn(task, parts, mean_of_all(task.outputs))


def variants(mechanism, **kwargs):
    """[(coalition, base, variant)] of some coalitions of a random subject."""
    subject = random_subject(**kwargs)
    seen = watched(subject)
    names = subject.task.names
    coalitions = [frozenset(names), *coalitions_of(names, 0, 1, 2, len(names) - 1)]
    coalition_values(subject, coalitions, absent=mechanism, rows=1000)
    assert len(seen) == len(coalitions)
    return [(coalition, *pair) for coalition, pair in zip(coalitions, seen, strict=True)]


def zero_where_absent_or_padded(inputs):
    for name, value in inputs.values.items():
        real = inputs.mask(name) if name in inputs.lengths else inputs.here(name)
        assert not value[~real].any()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_what_a_coalition_has_is_the_very_tensor_of_the_base(mechanism):
    for coalition, base, variant in variants(mechanism):
        assert all(variant.values[name] is base.values[name] for name in coalition)
        assert all(variant.lengths[name] is base.lengths[name] for name in coalition & set(base.lengths))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_what_is_absent_stays_absent_and_what_is_absent_or_padded_is_zero(mechanism):
    for _, base, variant in variants(mechanism):
        assert not (variant.present & ~base.present).any()
        zero_where_absent_or_padded(variant)
        assert list(variant.values) == list(base.values)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_test_split_is_not_changed(mechanism):
    subject = random_subject()
    before = make_split(subject.task, 40, 3, missing=True)
    coalition_values(subject, coalitions_of(subject.task.names, 0, 1, 5), absent=mechanism, rows=1000)
    after = subject.parts["test"].inputs
    assert all(torch.equal(after.values[name], value) for name, value in before.inputs.values.items())
    assert torch.equal(after.present, before.inputs.present)


def test_masked_modalities_are_not_present_and_zero():
    for coalition, base, variant in variants("masked"):
        for name in base.names:
            assert torch.equal(variant.here(name), base.here(name) & (name in coalition))


def test_modalities_at_their_mean_are_zero_and_present():
    for coalition, base, variant in variants("mean"):
        assert torch.equal(variant.present, base.present)
        assert all(not variant.values[name].any() for name in set(base.names) - coalition)


def test_permuted_modalities_have_the_same_values_in_other_rows_with_their_lengths():
    for coalition, base, variant in variants("permuted"):
        assert torch.equal(variant.present, base.present)
        for name in set(base.names) - coalition:
            ours, theirs = (x.values[name].reshape(len(x), -1).double() for x in (base, variant))
            assert not torch.equal(ours, theirs)
            assert sorted(map(tuple, ours.tolist())) == sorted(map(tuple, theirs.tolist()))
            if name in base.lengths:
                same = (ours[:, None] == theirs[None]).all(2)  # (N,N): row i of the base has gone to row j
                assert (same & (base.lengths[name][:, None] == variant.lengths[name][None])).any(0).all()


def test_a_complete_row_lends_its_absent_modalities_together():
    modalities = tuple(Modality(name, "vector", (1,)) for name in "abc")
    number = torch.arange(50.0)[:, None]
    inputs = Inputs({name: number.clone() for name in "abc"}, torch.ones(50, 3, dtype=torch.bool))
    split = Split(inputs, torch.arange(50) % 2)
    subject = StandIn(Task("classification", 2, modalities), {"train": split, "test": split}, mean_of_all(2))
    seen = watched(subject)
    coalition_values(subject, [frozenset("c")], absent="permuted", rows=50)
    variant = next(variant for _, variant in seen if variant.values["a"] is not inputs.values["a"])
    assert torch.equal(variant.values["a"], variant.values["b"])
    assert not torch.equal(variant.values["a"], variant.values["c"])


def test_times_go_with_the_values_that_are_permuted():
    task = make_task("classification", "sequence vector")
    split = make_split(task, 30)
    name = task.names[0]
    inputs = replace(split.inputs, times={name: split.inputs.values[name][:, :, 0] + 5})
    subject = StandIn(task, {"train": split, "test": replace(split, inputs=inputs)}, mean_of_all(3))
    seen = watched(subject)
    coalition_values(subject, [NONE], absent="permuted", rows=30)
    variant = seen[1][1]
    assert torch.equal(variant.times[name], variant.values[name][:, :, 0] + 5)
    assert not torch.equal(variant.times[name], inputs.times[name])


def test_every_method_of_a_seed_meets_the_same_permutations_and_another_seed_others():
    def permuted(seed, answer):
        subject = replace(random_subject(), seed=seed, answer=answer, kept={})
        seen = watched(subject)
        coalition_values(subject, [NONE], absent="permuted", rows=1000, draws=2)
        return torch.stack([variant.values["vector0"] for _, variant in seen])

    first = permuted(0, mean_of_all(3))
    assert torch.equal(first, permuted(0, lambda inputs: np.full((len(inputs), 3), 1 / 3)))
    assert not torch.equal(first, permuted(1, mean_of_all(3)))
    assert not torch.equal(first[1], first[2])  # after the whole, the two draws


def test_without_any_modality_the_masked_value_is_the_score_of_the_prior():
    subject = random_subject(rows=30, missing=False)
    assert coalition_values(subject, [NONE], absent="masked", rows=30)[NONE] == pytest.approx(1 / 3)
    assert prior_value(subject, 30) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("kind", "sign", "metric"), [("regression", -1, "rmse"), ("anomaly", 1, "auroc")])
def test_errors_are_negated_and_other_metrics_are_not(kind, sign, metric):
    subject = random_subject("vector sequence", kind=kind)
    everything = frozenset(subject.task.names)
    found = coalition_values(subject, [everything], absent="masked", rows=1000)[everything]
    test = subject.parts["test"]
    assert found == sign * subject.scores(subject.predict(test), test)[metric]


def test_a_correlation_with_a_constant_prediction_is_at_its_chance_level():
    subject = random_subject("vector vector", missing=False, kind="regression")
    subject.task = replace(subject.task, metric="pearson")
    everything = frozenset(subject.task.names)
    found = coalition_values(subject, [NONE, everything], absent="masked", rows=1000)
    assert found[NONE] == 0.0
    assert found[everything] != 0.0


@pytest.mark.parametrize("measure", MEASURES, ids=["missing", "contribution"])
def test_a_metric_that_the_rows_do_not_define_is_a_reason(measure):
    subject = random_subject("vector vector", missing=False, kind="anomaly")
    test = subject.parts["test"]
    subject.parts = {**subject.parts, "test": replace(test, target=torch.ones_like(test.target))}
    found = measure(subject)
    assert not found.scores
    assert "AUROC is not defined on these 40 rows" in found.reason


def test_what_both_measures_need_is_predicted_once():
    def predictions(*measures):
        subject = random_subject("vector image sequence", rows=150)
        seen = watched(subject)
        for measure in measures:
            assert measure(subject, passes=1000).notes["rows"] == 125
        return len(seen)

    first, second = MEASURES
    assert predictions(first) == 8  # of three modalities: all subsets, with none and all of them
    assert predictions(first, second) == predictions(second) == predictions(second, first)


def test_the_budget_lowers_the_rows_down_to_a_floor():
    subject = random_subject(rows=400)
    assert rows_within(subject, 2000, 100_000, 10) == 400
    assert rows_within(subject, 300, 100_000, 10) == 300
    assert rows_within(subject, 300, 2_000, 10) == 200
    assert rows_within(subject, 300, 1_000, 100) == 50
    assert rows_within(random_subject(rows=7), 300, 1_000, 100) == 7


@pytest.mark.parametrize("measure", MEASURES, ids=["missing", "contribution"])
@pytest.mark.parametrize("kind", ["classification", "multilabel", "regression", "verification", "anomaly"])
def test_every_task_and_kind_of_modality_can_be_measured_with_modalities_missing(measure, kind):
    found = measure(random_subject("vector tokens frames", kind=kind), most=50)
    assert found.reason == ""
    assert all(np.isfinite(value) for value in found.scores.values())
    plain = [value for table in found.tables.values() for column in table.values() for value in column]
    assert all(value is None or isinstance(value, str) or np.isfinite(value) for value in plain)


@pytest.mark.parametrize("measure", MEASURES, ids=["missing", "contribution"])
def test_rows_without_any_modality_are_answered_by_the_prior(measure):
    subject = random_subject("vector vector")
    test = subject.parts["test"]
    none = test.inputs.keep(torch.zeros_like(test.inputs.present))
    subject.parts = {**subject.parts, "test": replace(test, inputs=none)}
    found = measure(subject)  # the stand-in's answer never meets rows without any modality
    assert found.notes["full"] == pytest.approx(subject.chance, rel=1e-4)


@pytest.mark.parametrize("measure", MEASURES, ids=["missing", "contribution"])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_tiny_split_without_some_classes_can_be_measured(measure, rows):
    found = measure(random_subject("vector vector", rows=rows))
    assert found.reason == ""
    assert found.notes["rows"] == rows
