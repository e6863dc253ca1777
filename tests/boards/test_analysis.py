"""``analyse``: intervals, ranks and differences in the files that it writes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mmbench.boards.analysis import analyse
from mmbench.boards.schema import Analysis, Difference, RowAnalysis, read_analysis

R = 400  # resamples: enough for what is asserted here


def analysed(out: Path) -> Analysis:
    (path,) = analyse(out, R)
    found = read_analysis(path.parent)
    assert found is not None
    return found


def row(analysis: Analysis, method: str) -> RowAnalysis:
    return next(row for row in analysis.rows if row.method == method)


def difference(analysis: Analysis, first: str, second: str) -> Difference:
    a, b = row(analysis, first).id, row(analysis, second).id
    return next(d.seen_from(a) for d in analysis.comparisons if {d.first, d.second} == {a, b})


@pytest.fixture
def classes():
    return np.random.default_rng(0).integers(0, 3, 300)


def test_one_deterministic_seed_has_an_interval_from_the_examples(make, guess, classes):
    factory = make(classes, outputs=3)
    factory.add("linear", guess(classes, 0.8, 3, 1), role="floor")
    score = row(analysed(factory.out), "linear").scores["accuracy"]
    assert score.deviation is None
    assert score.low < score.mean < score.high
    binomial = 2 * 1.96 * (score.mean * (1 - score.mean) / 300) ** 0.5
    assert score.high - score.low == pytest.approx(binomial, rel=0.15)


def test_every_score_has_mean_and_interval(make, guess, classes):
    factory = make(classes, outputs=3)
    for seed in range(3):
        factory.add("late", guess(classes, 0.8, 3, seed), seed)
    found = row(analysed(factory.out), "late")
    assert set(found.scores) == {
        "accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "nll", "auroc", "average_precision",
    }  # fmt: skip
    assert all(s.low < s.mean < s.high and s.deviation > 0 and s.resamples == R for s in found.scores.values())
    assert found.seeds == (0, 1, 2)
    assert len(set(found.keys)) == 3


def test_equal_predictions_differ_by_exactly_nothing_and_tie(make, guess, classes):
    factory, p = make(classes, outputs=3), guess(classes, 0.8, 3, 1)
    for seed in range(3):
        factory.add("one", p, seed)
        factory.add("two", p, seed)
    factory.add("poor", guess(classes, 0.4, 3, 2))
    found = analysed(factory.out)
    same = difference(found, "one", "two")
    assert (same.difference, same.low, same.high, same.excludes_zero) == (0, 0, 0, False)
    assert [row(found, name).rank for name in ("one", "two", "poor")] == [1, 1, 3]


def test_a_paired_difference_is_narrower_than_its_two_intervals(make, classes):
    rng = np.random.default_rng(0)
    p = np.full((300, 3), 0.1)
    p[np.arange(300), np.where(rng.random(300) < 0.7, classes, (classes + 1) % 3)] = 0.8
    better = p.copy()
    wrong = np.flatnonzero(p.argmax(1) != classes)[:9]
    better[wrong] = 0.1
    better[wrong, classes[wrong]] = 0.8
    factory = make(classes, outputs=3)
    factory.add("a", p)
    factory.add("b", better)
    found = analysed(factory.out)
    a, b, d = row(found, "a").scores["accuracy"], row(found, "b").scores["accuracy"], difference(found, "b", "a")
    assert a.high > b.low  # the intervals overlap, and yet:
    assert d.excludes_zero
    assert d.difference == pytest.approx(0.03)
    assert (row(found, "a").rank, row(found, "b").rank) == (2, 1)


def test_lower_is_better_turns_ranks_and_the_best_unimodal(make):
    rng = np.random.default_rng(0)
    y = rng.normal(size=(200, 1)) * 50
    factory = make(y, kind="regression", outputs=1, chance=50.0, ceiling=2.0)
    for name, noise in (("good", 5), ("bad", 20)):
        factory.add(name, y + rng.normal(size=y.shape) * noise)
    for modality, noise in (("image", 10), ("audio", 30)):
        p = y + rng.normal(size=y.shape) * noise
        factory.add("unimodal", p, role="floor", parameters={"modality": modality})
    found = analysed(factory.out)
    ranks = {r.method: r.rank for r in found.rows}
    assert ranks == {"good": 1, "unimodal[modality=image]": 2, "bad": 3, "unimodal[modality=audio]": 4}
    assert found.best_unimodal == row(found, "unimodal[modality=image]").id
    versus = row(found, "good").versus_unimodal
    assert versus.second == found.best_unimodal
    assert versus.high < 0  # a smaller error
    share = row(found, "good").normalised
    assert share.low < share.mean < share.high <= 1
    assert share.mean == pytest.approx((row(found, "good").scores["rmse"].mean - 50) / (2 - 50), rel=1e-4)


def test_the_best_unimodal_is_chosen_on_validation(make, guess, classes):
    factory = make(classes, outputs=3)
    for modality, rate, validation in (("image", 0.9, 0.5), ("audio", 0.6, 0.7)):
        p = guess(classes, rate, 3, 1)
        factory.add("unimodal", p, role="floor", parameters={"modality": modality}, validation=validation)
    found = analysed(factory.out)
    assert found.best_unimodal == row(found, "unimodal[modality=audio]").id
    assert row(found, "unimodal[modality=audio]").versus_unimodal is None
    assert row(found, "unimodal[modality=image]").versus_unimodal.excludes_zero


def test_variance_over_seeds_widens_the_interval(make, guess, classes):
    factory = make(classes, outputs=3)
    for seed in range(5):
        factory.add("steady", guess(classes, 0.7, 3, 1), seed)
        factory.add("erratic", guess(classes, (0.5, 0.6, 0.7, 0.8, 0.9)[seed], 3, 1), seed)
    found = analysed(factory.out)
    steady, erratic = (row(found, name).scores["accuracy"] for name in ("steady", "erratic"))
    assert steady.deviation == 0
    assert erratic.high - erratic.low > 1.5 * (steady.high - steady.low)


def test_groups_widen_the_interval(make):
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(30), 10)
    y = rng.integers(0, 2, 300)
    hit = (rng.random(30) < 0.7)[group]  # a speaker is understood, or is not
    p = np.eye(2)[np.where(hit, y, 1 - y)] * 0.8 + 0.1
    widths = []
    for name, groups in (("rows", None), ("groups", group)):
        factory = make(y, dataset=name, group=groups)
        factory.add("late", p)
        found = next(a for path in analyse(factory.out, R) if (a := read_analysis(path.parent)).dataset == name)
        score = row(found, "late").scores["accuracy"]
        widths.append(score.high - score.low)
        assert (found.bootstrap.unit, found.bootstrap.units) == (
            ("example", 300) if groups is None else ("speaker", 30)
        )
    assert widths[1] > 2 * widths[0]


def test_no_row_mixes_identities(make, guess, classes):
    factory = make(classes, outputs=3)
    apart = [
        {"dtype": "float64"}, {"threads": 4}, {"device": "cuda"}, {"tuned": True},
        {"method_source": "b" * 32, "created": "2024-01-01"}, {"parameters": {"width": 32}}, {},
    ]  # fmt: skip
    for number, options in enumerate(apart):
        for seed in range(2):
            factory.add("late", guess(classes, 0.8, 3, 10 * number + seed), seed, **options)
    found = analysed(factory.out)
    assert len(found.rows) == len(apart)
    assert all(r.seeds == (0, 1) for r in found.rows)
    labels = [r.method for r in found.rows]
    assert len(set(labels)) == len(apart)
    assert "late (cpu, float64, 1 thread)" in labels
    assert any("older source bbbbbbbb" in label for label in labels)
    assert any(label.startswith("late[width=32]") for label in labels)
    assert any("tuned" in label for label in labels)


@pytest.mark.parametrize(
    "older",
    [{"data": "e" * 32}, {"core_source": "f" * 32}, {"protocol_version": 2}, {"dataset_version": "0"}],
    ids=lambda older: next(iter(older)),
)
def test_records_of_other_data_or_source_are_left_out_and_named(make, guess, classes, older):
    factory = make(classes, outputs=3)
    factory.add("late", guess(classes, 0.8, 3, 0), created="2025-06-01")
    factory.add("late", guess(classes, 0.8, 3, 1), 1, created="2025-05-01", **older)
    found = analysed(factory.out)
    assert [r.seeds for r in found.rows] == [(0,)]
    ((left,),) = (found.left_out,)
    assert (left.records, left.methods) == (1, ("late",))
    name, value = next(iter(older.items()))
    assert left.differs == f"{name.replace('_', ' ')} {str(value)[:8]}"


def test_the_same_files_give_the_same_bytes_and_other_rows_change_nothing(make, guess, classes):
    factory = make(classes, outputs=3)
    for seed in range(2):
        factory.add("late", guess(classes, 0.8, 3, seed), seed)
    (path,) = analyse(factory.out, R)
    first, before = path.read_bytes(), analysed(factory.out)
    path.unlink()
    assert analyse(factory.out, R)[0].read_bytes() == first
    factory.add("gated", guess(classes, 0.85, 3, 7))
    assert row(analysed(factory.out), "late").scores == row(before, "late").scores


@pytest.mark.parametrize("fault", ["missing", "empty", "text", "short", "other", "nan", "pickle"])
def test_a_bad_sidecar_costs_its_row_alone(make, guess, classes, fault):
    factory, p = make(classes, outputs=3), guess(classes, 0.8, 3, 0)
    factory.add("fine", p)
    factory.add("late", p)
    sidecar = factory.add("late", p, 1).with_suffix(".npz")
    match fault:
        case "missing":
            sidecar.unlink()
        case "empty":
            sidecar.write_bytes(b"")
        case "text":
            sidecar.write_text("not an archive")
        case "short":
            np.savez(sidecar, prediction=p[:-1])
        case "other":
            np.savez(sidecar, wrong=p)
        case "nan":
            np.savez(sidecar, prediction=np.full_like(p, np.nan))
        case "pickle":
            np.savez(sidecar, prediction=np.array([{}], dtype=object))
    found = analysed(factory.out)
    late, fine = row(found, "late"), row(found, "fine")
    assert late.reason.startswith("seed 1: ")
    assert late.scores["accuracy"].mean == pytest.approx(fine.scores["accuracy"].mean)
    assert late.scores["accuracy"].low is None
    assert late.rank is None
    assert late.scores["accuracy"].reason == late.reason
    assert fine.scores["accuracy"].low is not None
    assert fine.rank == 1


def test_a_record_whose_scores_its_predictions_do_not_give_is_found_out(make, guess, classes):
    factory, p = make(classes, outputs=3), guess(classes, 0.6, 3, 0)
    factory.add("boast", p, scores={**factory.scores(p), "accuracy": 0.99})
    found = row(analysed(factory.out), "boast")
    assert "its record states accuracy 0.99, its predictions give 0.54" in found.reason
    assert found.scores["accuracy"].low is None


@pytest.mark.parametrize("fault", ["missing", "text", "classes", "groups", "one group"])
def test_bad_targets_cost_all_intervals_and_nothing_else(make, guess, classes, fault):
    factory = make(classes, outputs=3)
    factory.add("late", guess(classes, 0.8, 3, 0))
    path = next(factory.folder.glob("test-*.npz"))
    match fault:
        case "missing":
            path.unlink()
        case "text":
            path.write_text("not an archive")
        case "classes":
            np.savez(path, target=classes + 1)
        case "groups":
            np.savez(path, target=classes, group=classes[:-1])
        case "one group":
            np.savez(path, target=classes, group=np.zeros_like(classes))
    found = row(analysed(factory.out), "late")
    assert found.reason
    assert found.scores["accuracy"].mean > 0
    assert found.scores["accuracy"].low is None


def test_failed_seeds_are_counted(make, guess, classes):
    factory = make(classes, outputs=3)
    for seed in range(3):
        factory.add("late", guess(classes, 0.8, 3, seed), seed)
    factory.add("late", None, 3, status="diverged")
    factory.add("late", None, 4, status="timeout")
    factory.add("never", None, status="error")
    found = analysed(factory.out)
    assert row(found, "late").failed == {"diverged": 1, "timeout": 1}
    assert row(found, "late").seeds == (0, 1, 2)
    assert [r.method for r in found.rows] == ["late"]
    assert found.records == 3


def test_unreadable_and_forged_records_are_named_and_skipped(make, guess, classes):
    factory = make(classes, outputs=3)
    good = factory.add("late", guess(classes, 0.8, 3, 0))
    (good.parent / "seed1-abc.json").write_text('{"half a rec')
    (good.parent / "seed2-abc.json").write_bytes(b"\xff\xfe")
    forged = json.loads(good.read_text())
    forged["identity"]["seed"] = 3
    (good.parent / "seed3-abc.json").write_text(json.dumps(forged))
    shutil.copy(good, good.parent / "seed4-abc.json")
    found = analysed(factory.out)
    assert found.records == 1
    assert set(found.unreadable) == {f"late/seed{seed}-abc.json" for seed in (1, 2, 3, 4)}
    assert "the key is not that of the identity" in found.unreadable["late/seed3-abc.json"]
    assert str(factory.out) not in str(found.unreadable)


def test_a_score_without_weighted_form_has_mean_and_reason(make, guess, classes):
    factory = make(classes, outputs=3)
    for seed, value in enumerate((0.1, 0.3)):
        p = guess(classes, 0.8, 3, seed)
        factory.add("late", p, seed, scores={**factory.scores(p), "ece": value})
    p = guess(classes, 0.8, 3, 9)
    scores = factory.scores(p)
    factory.add("late", p, 2, scores={name: value for name, value in scores.items() if name != "auroc"})
    found = row(analysed(factory.out), "late")
    assert found.scores["ece"].mean == pytest.approx(0.2)
    assert found.scores["ece"].low is None
    assert found.scores["ece"].reason == "2 of 3 seeds have this score"
    assert found.scores["auroc"].reason == "2 of 3 seeds have this score"
    assert found.scores["accuracy"].low is not None


def test_a_measure_of_a_plugin_says_why_it_has_no_interval(make, guess, classes):
    factory, p = make(classes, outputs=3), guess(classes, 0.8, 3, 0)
    factory.add("late", p, scores={**factory.scores(p), "ece": 0.1})
    assert row(analysed(factory.out), "late").scores["ece"].reason == "no weighted form of this score is known"


def test_ceilings_are_not_ranked_and_cost_no_rank(make, guess, classes):
    factory = make(classes, outputs=3, chance=1 / 3, ceiling=0.95)
    factory.add("oracle", guess(classes, 0.95, 3, 0), role="ceiling")
    factory.add("late", guess(classes, 0.7, 3, 1))
    found = analysed(factory.out)
    assert row(found, "oracle").rank is None
    assert row(found, "late").rank == 1
    assert difference(found, "oracle", "late").excludes_zero


def test_predictions_that_are_gone_do_not_cost_the_analysis_made_from_them(make, guess, classes):
    factory = make(classes, outputs=3)
    factory.add("late", guess(classes, 0.8, 3, 0))
    (path,) = analyse(factory.out, R)
    before = path.read_bytes()
    for sidecar in factory.out.rglob("*.npz"):
        sidecar.unlink()
    assert analyse(factory.out, R) == [path]
    assert path.read_bytes() == before
    factory.add("gated", None, scores={"accuracy": 0.5})
    assert row(analysed(factory.out), "late").scores["accuracy"].low is None


def test_each_dataset_and_protocol_has_its_own(make, guess, classes):
    for protocol in ("quick", "standard"):
        for dataset in ("one", "two"):
            factory = make(classes, outputs=3, dataset=dataset, protocol=protocol)
            factory.add("late", guess(classes, 0.8, 3, 0))
    found = [path.relative_to(factory.out).as_posix() for path in analyse(factory.out, 50)]
    assert found == [f"{p}/{d}/analysis.json" for p in ("quick", "standard") for d in ("one", "two")]
    assert analyse(factory.out / "nowhere") == []


def test_what_is_analysed_already_is_left_and_processes_change_nothing(make, guess, classes):
    for dataset in ("one", "two"):
        factory = make(classes, outputs=3, dataset=dataset)
        factory.add("late", guess(classes, 0.8, 3, 0))
    paths = analyse(factory.out, 50)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    assert analyse(factory.out, 50) == paths
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths} == before
    for path in paths:
        path.unlink()
    assert analyse(factory.out, 50, jobs=2) == paths
    assert {path: path.read_bytes() for path in paths} == {path: content for path, (content, _) in before.items()}


@pytest.mark.parametrize(("kind", "outputs"), [("multilabel", 3), ("verification", 1), ("anomaly", 1)])
def test_other_tasks(make, kind, outputs):
    rng = np.random.default_rng(0)
    y = (rng.random((200, outputs)) < 0.4).astype(float)
    factory = make(y, kind=kind, outputs=outputs)
    for seed in range(2):
        factory.add("late", 1 / (1 + np.exp(1 - 3 * y - rng.normal(size=y.shape))), seed)
    found = row(analysed(factory.out), "late")
    assert len(found.scores) >= 6
    assert all(score.low < score.mean < score.high for score in found.scores.values())
