"""The measure as a whole: curves of stand-ins whose robustness is known."""

import json
from math import isfinite, sqrt

import numpy as np
import pytest
import torch

from mmbench.core.errors import MmbenchError
from mmbench.core.modality import Modality
from mmbench.core.scores import TASK_SCORES
from mmbench.core.task import Task
from mmbench.data.embedded import pid
from mmbench.measures.robustness.card import CARD
from mmbench.measures.robustness.curves import area, curves_of, effective
from mmbench.measures.robustness.measure import robustness
from mmbench.nn.records import Inputs, Split
from mmbench.testing.standin import StandIn

A, B = Modality("a", "vector", (1,)), Modality("b", "vector", (3,))


def split_of(task, rows, seed, target, present=None):
    """Standard normal inputs, whole rows of ids for tokens, and a target made of them."""
    rng = np.random.default_rng(seed)
    values, lengths = {}, {}
    for m in task.modalities:
        if m.kind == "tokens":
            values[m.name] = torch.from_numpy(rng.integers(1, m.vocabulary, size=(rows, *m.shape)))
        else:
            values[m.name] = torch.from_numpy(rng.standard_normal((rows, *m.shape)).astype(np.float32))
        if m.timed:
            lengths[m.name] = torch.full((rows,), m.shape[0])
    inputs = Inputs(values, torch.ones(rows, len(task.modalities), dtype=torch.bool), lengths)
    found = target(inputs)
    return Split(inputs if present is None else inputs.keep(present), found)


def standin(task, target, answer, rows=600, present=None, **others):
    parts = {
        part: split_of(task, rows, seed, target, present if part == "test" else None)
        for seed, part in enumerate(("train", "validation", "test"))
    }
    return StandIn(task, parts, answer, **others)


def sign_of_a(inputs):
    return (inputs.values["a"].flatten(1)[:, 0] > 0).long()


def certain(inputs):
    """(N,2): the sign of ``a``."""
    return np.eye(2)[sign_of_a(inputs).numpy()]


def perfect(modalities=(A, B), **others):
    return standin(Task("classification", 2, modalities), sign_of_a, certain, **others)


def check(findings, metric="accuracy"):
    """What holds for all findings: known scores in their range, small tables of plain finite values."""
    by_name = {score.name: score.under(TASK_SCORES[metric]) for score in CARD.scores}
    for name, value in findings.scores.items():
        assert isfinite(value)
        assert by_name[name].low <= value <= by_name[name].high
    for table in findings.tables.values():
        assert len({len(column) for column in table.values()}) == 1
        assert len(next(iter(table.values()))) <= 400
    json.dumps([dict(findings.scores), dict(findings.tables), dict(findings.notes)], allow_nan=False)
    return findings


def test_a_method_that_ignores_a_modality_has_flat_curves_there():
    curves = curves_of(check(robustness(perfect())).tables["curves"])
    for corruption in ("noise", "dropout", "shuffle"):
        assert set(curves[corruption, "b"].values()) == {1.0}
        assert curves[corruption, "a"][1.0] < 0.9
        assert curves[corruption, "*"][1.0] < 0.9


def test_the_curve_of_noise_is_what_its_deviation_says():
    """P(sign(x) = sign(x + 2σn)) = ½ + arctan(1/2σ)/π for x, n ~ N(0,1)."""
    findings = robustness(perfect(rows=4000), most=4000, passes=1_000_000)
    for level, value in curves_of(findings.tables["curves"])["noise", "a"].items():
        expected = 1 if level == 0 else 0.5 + np.arctan(1 / (2 * level)) / np.pi
        assert abs(value - expected) < 4 * sqrt(expected * (1 - expected) / 4000) + 1e-9


def test_the_curve_of_shuffled_partners_falls_to_chance():
    curve = curves_of(robustness(perfect(rows=1000)).tables["curves"])["shuffle", "a"]
    for level, value in curve.items():
        assert abs(value - (1 - level / 2)) < 4 * sqrt(0.25 / 1000)


def test_scores_are_those_of_the_curves():
    subject = perfect()
    findings = check(robustness(subject))
    areas = {key: area(curve) for key, curve in curves_of(findings.tables["curves"]).items()}
    mean = np.mean(list(areas.values()))
    assert findings.scores["robustness_area"] == pytest.approx(mean, abs=1e-4)
    assert findings.scores["robustness_worst"] == pytest.approx(min(areas.values()), abs=1e-4)
    for name in ("noise", "dropout", "shuffle"):
        mine = np.mean([value for (corruption, _), value in areas.items() if corruption == name])
        assert findings.scores[f"robustness_{name}"] == pytest.approx(mine, abs=1e-4)
    expected = (mean - subject.chance) / (1 - subject.chance)
    assert findings.scores["robustness_retained"] == pytest.approx(expected, abs=1e-4)
    assert set(findings.scores) == {
        f"robustness_{x}" for x in ("area", "worst", "retained", "noise", "dropout", "shuffle")
    }


def test_a_method_that_ignores_everything_corrupted_retains_all():
    """It reads the lengths alone, which no corruption of a modality without a partner touches."""
    sequence = Modality("a", "sequence", (8, 2))
    task = Task("classification", 2, (sequence,))
    subject = standin(
        task, lambda inputs: torch.arange(len(inputs)) % 2, lambda inputs: np.eye(2)[inputs.lengths["a"] % 2]
    )
    for part in subject.parts.values():
        part.inputs.lengths["a"].copy_(8 - part.target)
    findings = check(robustness(subject))
    assert findings.scores["robustness_retained"] == 1
    assert findings.scores["robustness_area"] == findings.scores["robustness_worst"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_method_at_chance_has_nothing_to_retain(seed):
    def answer(inputs):
        return np.random.default_rng(seed).dirichlet((1, 1), len(inputs))

    findings = check(robustness(standin(Task("classification", 2, (A, B)), sign_of_a, answer), draws=1))
    assert "robustness_retained" not in findings.scores
    assert abs(findings.scores["robustness_area"] - 0.5) < 0.1


def test_the_prior_has_nothing_to_retain():
    findings = check(
        robustness(standin(Task("classification", 2, (A, B)), sign_of_a, lambda x: np.full((len(x), 2), 0.5)))
    )
    assert "robustness_retained" not in findings.scores


def test_errors_have_their_highest_area_as_the_worst_and_retain_by_the_same_formula():
    task = Task("regression", 1, (A, B))

    def value(inputs):
        return inputs.values["a"]

    subject = standin(task, value, lambda inputs: inputs.values["a"].numpy() * 1.0)
    findings = check(robustness(subject), "rmse")
    curves = curves_of(findings.tables["curves"])
    assert curves["noise", "a"][0.5] == pytest.approx(1, rel=0.1)  # the RMSE is the noise's deviation
    assert curves["noise", "a"][1.0] == pytest.approx(2, rel=0.1)
    assert findings.scores["robustness_worst"] == pytest.approx(max(map(area, curves.values())), abs=1e-3)
    assert findings.scores["robustness_noise"] > findings.scores["robustness_dropout"]
    mean = findings.scores["robustness_area"]
    assert findings.scores["robustness_retained"] == pytest.approx((mean - subject.chance) / (0 - subject.chance))


def test_every_method_of_a_seed_meets_the_same_corruptions():
    seen = []

    def watching(inputs):
        seen.append(inputs)
        return certain(inputs)

    first, second = (standin(Task("classification", 2, (A, B)), sign_of_a, watching) for _ in range(2))
    other = standin(Task("classification", 2, (A, B)), sign_of_a, watching, seed=1)
    for subject in (first, second, other):
        robustness(subject)
    one, two, three = (seen[i * len(seen) // 3 : (i + 1) * len(seen) // 3] for i in range(3))
    for mine, same in zip(one, two, strict=True):
        assert all(torch.equal(mine.values[m], same.values[m]) for m in "ab")
    for mine, another in zip(one[1:25], three[1:25], strict=True):  # those of noise
        assert not all(torch.equal(mine.values[m], another.values[m]) for m in "ab")


def test_draws_levels_and_modalities_are_independent_and_joint_ones_combine_them():
    seen = []

    def watching(inputs):
        seen.append(inputs.values)
        return certain(inputs)

    robustness(standin(Task("classification", 2, (A, B)), sign_of_a, watching))
    base = seen[0]
    noisy = seen[1 : 1 + 4 * 2 * 3]  # by level, draw, then a, b and both
    assert torch.equal(noisy[2]["a"], noisy[0]["a"])
    assert torch.equal(noisy[2]["b"], noisy[1]["b"])
    patterns = [
        (values["a"] - base["a"])[:, 0] / (2 * level)
        for values, level in ((noisy[0], 0.25), (noisy[3], 0.25), (noisy[6], 0.5))
    ]
    patterns.append((noisy[1]["b"] - base["b"])[:, 0] / 0.5)
    assert np.abs(np.corrcoef(torch.stack(patterns)) - np.eye(4)).max() < 4 / sqrt(600)


def test_variants_keep_the_tensors_that_they_leave_alone():
    class Watched(StandIn):
        def predictor(self, base):
            predict = super().predictor(base)

            def watching(inputs):
                same.append([inputs.values[m] is base.inputs.values[m] for m in inputs.names])
                return predict(inputs)

            return watching

    same = []
    parts = {part: split_of(Task("classification", 2, (A, B)), 300, 0, sign_of_a) for part in ("train", "test")}
    robustness(Watched(Task("classification", 2, (A, B)), parts, certain))
    assert same[0] == [True, True]
    assert same.pop() == [True, True]  # nothing present, for the prior's score
    counts = {tuple(pattern): same[1:].count(pattern) for pattern in same[1:]}
    assert counts == {(False, True): 24, (True, False): 24, (False, False): 24}


def test_the_budget_of_passes_is_kept_and_stated():
    seen = []

    def counting(inputs):
        seen.append(len(inputs))
        return certain(inputs)

    findings = robustness(standin(Task("classification", 2, (A, B)), sign_of_a, counting), passes=10_000)
    assert findings.notes["variants"] == len(seen) == 1 + 9 * 4 * 2
    assert findings.notes["rows"] == 10_000 // 73
    assert findings.notes["passes"] == sum(seen) <= 10_000
    assert robustness(perfect(), most=50).notes["rows"] == 50


def test_what_does_not_depend_on_chance_is_measured_once():
    task = Task("classification", 2, (Modality("a", "image", (1, 8, 8)), B))
    findings = check(robustness(standin(task, sign_of_a, certain, rows=100)))
    table = findings.tables["curves"]
    spread = dict(zip(zip(table["corruption"], table["modality"], strict=True), table["spread"], strict=True))
    assert spread["blur", "a"] is None
    assert spread["noise", "a"] is not None
    assert spread["none", ""] is None
    assert all(value is None for value in robustness(perfect(), draws=1).tables["curves"]["spread"])


def test_the_spread_is_the_deviation_over_draws():
    values = []

    class Told(StandIn):
        def score(self, prediction, split):
            values.append(super().score(prediction, split))
            return values[-1]

    parts = {part: split_of(Task("classification", 2, (A,)), 300, 0, sign_of_a) for part in ("train", "test")}
    findings = robustness(Told(Task("classification", 2, (A,)), parts, certain), draws=3, levels=(1.0,))
    table = findings.tables["curves"]
    assert table["value"][1] == pytest.approx(np.mean(values[1:4]), rel=1e-4)
    assert table["spread"][1] == pytest.approx(np.std(values[1:4], ddof=1), rel=1e-4)


def test_one_modality_has_neither_partners_nor_a_joint_corruption():
    found = check(robustness(perfect(modalities=(A,))))
    assert set(curves_of(found.tables["curves"])) == {("noise", "a"), ("dropout", "a")}
    assert "robustness_shuffle" not in found.scores


def test_ten_modalities_of_all_kinds():
    shapes = {"sequence": (6, 2), "image": (1, 6, 6), "spectrogram": (1, 6, 6), "vector": (3,), "tokens": (5,)}
    kinds = ["vector", *shapes, "sequence", "sequence", "image", "tokens"]
    modalities = [
        Modality(name, kind, shapes[kind], vocabulary=7 * (kind == "tokens"))
        for name, kind in zip("abcdefghij", kinds, strict=True)
    ]
    modalities[6] = Modality("g", "sequence", (4, 1, 3, 3))
    findings = check(robustness(perfect(modalities=tuple(modalities), rows=60)))
    curves = curves_of(findings.tables["curves"])
    assert ("noise", "*") not in curves  # there are tokens
    assert ("dropout", "*") in curves
    assert ("lag", "g") in curves
    assert all(set(curve.values()) == {1.0} for (_, modality), curve in curves.items() if modality not in "a*")


def test_missing_modalities_stay_missing_and_the_prior_answers_for_rows_without_any():
    rng = np.random.default_rng(0)
    present = torch.from_numpy(rng.random((600, 2)) < 0.7)
    findings = check(robustness(perfect(present=present)))
    assert findings.scores["robustness_retained"] < 1
    assert set(curves_of(findings.tables["curves"])["noise", "b"].values()) == {findings.tables["curves"]["value"][0]}


@pytest.mark.parametrize(
    ("kind", "outputs"),
    [("multilabel", 2), ("anomaly", 1), ("verification", 1), ("regression", 2)],
)
def test_all_kinds_of_task_are_measured(kind, outputs):
    task = Task(kind, outputs, (A, B))

    def target(inputs):
        values = inputs.values["a"].double().expand(-1, outputs)
        return values if kind == "regression" else (values > 0).double()

    def answer(inputs):
        values = inputs.values["a"].double().expand(-1, outputs)
        return (values if kind == "regression" else values.sigmoid()).numpy()

    findings = check(robustness(standin(task, target, answer), draws=1, levels=(0.5, 1.0)), task.metric)
    assert 0 < findings.scores["robustness_retained"] < 1
    area, worst = findings.scores["robustness_area"], findings.scores["robustness_worst"]
    assert worst < area if task.score.higher_is_better else worst > area


def test_a_metric_that_is_not_defined_is_the_reason_for_no_scores():
    task = Task("anomaly", 1, (A, B))
    findings = check(robustness(standin(task, lambda x: torch.zeros(len(x), 1), lambda x: np.full((len(x), 1), 0.5))))
    assert not findings.scores
    assert "auroc" in findings.reason


def test_scores_that_would_do_without_an_undefined_curve_are_left_out():
    """A correlation with predictions that have become constant."""
    task = Task("regression", 1, (A, B), metric="pearson")
    subject = standin(task, lambda x: x.values["a"], lambda x: x.values["a"].double().numpy())
    findings = check(robustness(subject), "pearson")
    assert findings.notes["undefined_curves"] == 2  # of dropout: of a, and of both
    assert ("dropout", "a") not in curves_of(findings.tables["curves"])
    assert findings.tables["curves"]["value"].count(None) == 2
    assert set(findings.scores) == {"robustness_noise", "robustness_shuffle"}


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_tiny_splits_are_measured(rows):
    findings = check(robustness(perfect(rows=rows)))
    assert findings.notes["rows"] == rows
    assert "robustness_retained" not in findings.scores  # so few rows cannot tell a method from chance


@pytest.mark.parametrize("levels", [(), (0.0, 1.0), (0.5, 0.25), (0.5, 0.5), (0.5, 1.5), (float("nan"),)])
def test_levels_that_are_no_scale_are_refused(levels):
    with pytest.raises(MmbenchError, match="levels"):
        robustness(perfect(), levels=levels)


def test_a_budget_that_is_too_small_is_refused():
    with pytest.raises(MmbenchError, match="passes=1000 for 145 variants"):
        robustness(perfect(), passes=1000, draws=4)


def test_late_fusion_has_no_effective_robustness_against_itself_and_a_trained_eye_has_some():
    curves = curves_of(robustness(perfect()).tables["curves"])
    assert effective(curves["noise", "a"], curves["noise", "a"]) == 0
    assert effective(curves["noise", "b"], curves["noise", "a"]) > 0.1


def oracle(component, rows, **parameters):
    """The posterior of a PID dataset, given what its inputs were before they were standardised."""
    source = pid.build(component=component, n_train=20_000, n_validation=10, n_test=rows, **parameters)
    views = {part: source.splits[part].with_format("torch") for part in ("train", "test")}
    raw = {
        part: {m: split[m][:].double().reshape(len(split), -1) for m in ("first", "second")}
        for part, split in views.items()
    }
    mean = {m: x.mean(0) for m, x in raw["train"].items()}
    deviation = {m: x.std(0) for m, x in raw["train"].items()}

    def answer(inputs):
        values = {m: x * deviation[m] + mean[m] for m, x in inputs.values.items()}
        return pid.posterior(Inputs(values, inputs.present), component=component, **parameters).numpy()

    parts = {}
    for part, split in views.items():
        values = {m: (x - mean[m]) / deviation[m] for m, x in raw[part].items()}
        parts[part] = Split(Inputs(values, torch.ones(len(split), 2, dtype=torch.bool)), split["target"][:])
    return StandIn(source.task, parts, answer, dataset=f"pid-{component}", parameters=parameters)


@pytest.mark.parametrize("component", ["redundant", "complementary"])
def test_the_oracles_curve_is_the_predicted_one(component):
    rows = 10_000
    findings = check(
        robustness(oracle(component, rows, dim=8), most=rows, passes=10_000_000, levels=(0.5, 1.0), draws=1)
    )
    curves, table = curves_of(findings.tables["curves"]), findings.tables["predicted"]
    assert len(table["level"]) == 1 + 3 * 2
    for modality, level, expected in zip(table["modality"], table["level"], table["unaware"], strict=True):
        measured = curves["noise", modality or "first"][level]
        assert abs(measured - expected) < 4 * sqrt(expected * (1 - expected) / rows)
    assert curves["noise", "first"][0.0] > 0.8


def test_other_datasets_have_no_predicted_curve():
    assert set(robustness(perfect()).tables) == {"curves"}
