"""Each kind of picture shows the numbers that the files hold."""

from statistics import stdev

import pytest

from mmbench.plots.choice import NothingToDrawError

CURVES = {("noise", "image"): {0.5: 0.8, 1.0: 0.6}, ("noise", "audio"): {0.5: 0.7, 1.0: 0.4}}


def words(figure):
    """All that is written outside the panels."""
    return " ".join(" ".join(text.get_text().split()) for text in figure.texts)


def legend(figure):
    return [text.get_text() for one in figure.legends for text in one.get_texts()]


def bars(container):
    """Ends of the bars of an ``errorbar`` with deviations."""
    (segments,) = [collection.get_segments() for collection in container.lines[2]]
    return [[tuple(map(float, end)) for end in segment] for segment in segments]


def test_robustness_draws_each_corruption_with_the_mean_over_seeds_and_a_band(results, tables, line):
    found = results(ceiling=0.95)
    joint = {("noise", "*"): {0.5: 0.5, 1.0: 0.3}}
    for seed, shift in enumerate((0.0, 0.1)):
        moved = {key: {level: value + shift for level, value in points.items()} for key, points in joint.items()}
        found.add("late", 0.9, seed, measures={"robustness": tables["robustness"](0.9, {**CURVES, **moved})})
    (picture,) = found.draw("robustness")
    (panel,) = picture.figure.axes
    assert panel.get_title() == "noise"
    assert line(panel, "late, all modalities at once") == [(0, 0.9), (0.5, 0.55), (1, 0.35)]
    assert line(panel, "late, image alone") == [(0, 0.9), (0.5, 0.8), (1, 0.6)]
    (band,) = [one for one in panel.collections if one.get_label() == "late, all modalities at once"]
    deviation = stdev([0.3, 0.4])
    at_end = [float(y) for x, y in band.get_paths()[0].vertices if x == 1.0]
    assert (min(at_end), max(at_end)) == pytest.approx((0.35 - deviation, 0.35 + deviation))
    assert line(panel, "chance")[0][1] == 0.25
    assert line(panel, "ceiling, clean")[0][1] == 0.95
    assert "band: ± standard deviation" in words(picture.figure)
    assert "2 seeds" in words(picture.figure)
    assert panel.get_ylabel() == "accuracy (↑ better)"


def test_robustness_of_one_seed_has_no_band_and_says_so(results, tables):
    found = results()
    found.add("late", 0.9, measures={"robustness": tables["robustness"](0.9, CURVES)})
    (picture,) = found.draw("robustness")
    assert not picture.figure.axes[0].collections
    assert "one seed" in words(picture.figure)
    assert "band" not in words(picture.figure)


def test_of_many_methods_single_modalities_are_averaged_so_that_no_panel_has_more_lines_than_can_be_told_apart(
    results, tables, line
):
    found = results()
    both = {**CURVES, ("noise", "*"): {0.5: 0.5, 1.0: 0.3}}
    for place in range(5):
        found.add(f"m{place}", 0.9 - place / 100, measures={"robustness": tables["robustness"](0.9, both)})
    (picture,) = found.draw("robustness")
    (panel,) = picture.figure.axes
    assert line(panel, "m0, one modality alone, mean") == [(0, 0.9), (0.5, 0.75), (1, 0.5)]
    assert len([one for one in panel.lines if one.get_label().startswith("m")]) == 8
    assert "one other row is left out" in words(picture.figure)


def test_there_are_at_most_six_corruptions_and_the_others_are_named(results, tables):
    found = results()
    names = ("jitter", "lag", "blur", "masks", "frames", "noise", "shuffle", "dropout")
    curves = {(name, "image"): {1.0: 0.5} for name in names}
    found.add("late", 0.9, measures={"robustness": tables["robustness"](0.9, curves)})
    (picture,) = found.draw("robustness")
    assert [panel.get_title() for panel in picture.figure.axes][:3] == ["noise", "dropout", "shuffle"]
    assert len(picture.figure.axes) == 6
    assert "Not shown: masks, frames." in words(picture.figure)


def test_a_curve_that_is_not_defined_at_some_level_is_not_drawn(results, tables):
    found = results()
    curves = {("noise", "image"): {0.5: None, 1.0: 0.4}, ("dropout", "image"): {0.5: 0.5, 1.0: 0.4}}
    found.add("late", 0.9, measures={"robustness": tables["robustness"](0.9, curves)})
    (picture,) = found.draw("robustness")
    assert [panel.get_title() for panel in picture.figure.axes] == ["dropout"]


def test_predicted_curves_stand_beside_the_measured_points(results, tables, line):
    found = results()
    theory = {
        "modality": ["", "image", "*"], "level": [0.0, 1.0, 1.0], "aware": [0.9, 0.9, 0.7], "unaware": [0.9, 0.8, 0.7],
    }  # fmt: skip
    curves = {("noise", "image"): {1.0: 0.75}, ("noise", "*"): {1.0: 0.65}, ("dropout", "image"): {1.0: 0.3}}
    found.add("late", 0.88, measures={"robustness": {**tables["robustness"](0.88, curves), "predicted": theory}})
    (picture,) = found.draw("predicted")
    alone, together = picture.figure.axes
    assert (alone.get_title(), together.get_title()) == ("noise on image alone", "noise on all modalities at once")
    assert line(alone, "aware") == [(0, 0.9), (1, 0.9)]
    assert line(alone, "unaware") == [(0, 0.9), (1, 0.8)]
    assert line(alone, "late") == [(0, 0.88), (1, 0.75)]
    assert line(together, "late") == [(0, 0.88), (1, 0.65)]
    assert {"predicted, aware", "predicted, unaware", "late"} <= set(legend(picture.figure))


def test_without_theory_there_is_no_picture_of_it(results, tables):
    found = results()
    found.add("late", 0.9, measures={"robustness": tables["robustness"](0.9, CURVES)})
    with pytest.raises(NothingToDrawError, match="no theory"):
        found.draw("predicted")


def test_a_reliability_diagram_pools_seeds_by_count_and_has_the_error_with_its_null_in_its_title(results, tables, line):
    found = results()
    scores = {"ece": 0.125, "ece_null": 0.02, "ece_null_95": 0.03}
    made = tables["calibration"]
    first, second = made([0, 300], [None, 0.8], [None, 0.6]), made([1, 100], [0.4, 0.9], [1.0, 1.0])
    for seed, table in enumerate((first, second)):
        found.add("late", 0.7, seed, measures={"calibration": table}, scores=scores)
    (picture,) = found.draw("reliability")
    (panel,) = picture.figure.axes
    assert line(panel, "frequency") == [(0.825, 0.7)]
    (errors,) = [one for one in panel.containers if one.get_label() == "frequency"]
    spread = stdev([0.6, 1.0])
    assert bars(errors)[0] == [pytest.approx((0.825, 0.7 - spread)), pytest.approx((0.825, 0.7 + spread))]
    assert line(panel, "few") == [(0.4, 1)]
    assert line(panel, "calibrated") == [(0, 0), (1, 1)]
    (shares,) = [one for one in panel.containers if one.get_label() == "share"]
    assert [bar.get_height() for bar in shares] == pytest.approx([1 / 401, 400 / 401])
    assert panel.get_title() == "late\nECE 0.125; null 0.020, 95 %: 0.030"


def test_of_labels_the_diagram_is_that_of_the_positive(results, tables):
    found = results(kind="verification", metric="eer", higher=False, chance=0.5)
    found.add("late", 0.2, measures={"calibration": tables["calibration"]([5, 5], [0.2, 0.8], [0.1, 0.9])})
    (picture,) = found.draw("reliability")
    assert picture.figure.axes[0].get_ylabel() == "frequency of the positive"
    assert "overconfident" not in words(picture.figure)


def test_contribution_bars_are_sorted_and_have_the_deviation_over_seeds(results, tables):
    found = results(modalities=("a", "b", "c"))
    for seed, b in enumerate((0.3, 0.5)):
        table = tables["contribution"]({"a": -0.1, "b": b, "c": 0.2})
        notes = {"absent": "masked"}
        found.add("late", 0.9, seed, measures={"contribution": table}, scores={"contribution_gain": 0.5}, notes=notes)
    (picture,) = found.draw("contribution")
    (panel,) = picture.figure.axes
    (shown,) = [one for one in panel.containers if one.get_label() == "late"]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["b", "c", "a"]
    assert [bar.get_width() for bar in shown] == pytest.approx([0.4, 0.2, -0.1])
    assert [bool(bar.get_hatch()) for bar in shown] == [False, False, True]
    low, high = (end[0] for end in bars(shown.errorbar)[0])
    assert (low, high) == pytest.approx((0.4 - stdev([0.3, 0.5]), 0.4 + stdev([0.3, 0.5])))
    assert panel.get_title() == "late\nsum 0.5"
    assert panel.yaxis_inverted()


def test_contribution_says_which_methods_lost_modalities_in_another_way(results, tables):
    found = results()
    for method, absent in (("late", "masked"), ("early", "permuted")):
        table = {"contribution": tables["contribution"]({"image": 0.2, "audio": 0.1})}
        found.add(method, 0.9, measures=table, scores={"contribution_gain": 0.3}, notes={"absent": absent})
    (picture,) = found.draw("contribution")
    assert sorted(panel.get_title() for panel in picture.figure.axes) == ["early\nsum 0.3, permuted", "late\nsum 0.3"]
    assert "masked or permuted; figures of the two are not comparable" in words(picture.figure)


def test_of_errors_contributions_are_said_to_be_negated(results, tables):
    found = results(metric="rmse", higher=False, chance=None, kind="regression")
    found.add("late", 1.5, measures={"contribution": tables["contribution"]({"image": 0.2, "audio": 0.1})})
    (picture,) = found.draw("contribution")
    assert "Shapley value of RMSE, negated" in words(picture.figure)


def test_one_modality_has_no_picture_of_contributions(results, tables):
    found = results(modalities=("a",))
    found.add("late", 0.9, measures={"contribution": tables["contribution"]({"a": 0.4})})
    with pytest.raises(NothingToDrawError, match="one modality"):
        found.draw("contribution")


def test_of_two_modalities_every_subset_has_a_line(results, tables, line):
    found = results(metric="eer", higher=False, chance=0.5, kind="verification")
    for seed, image in enumerate((0.4, 0.3)):
        table = tables["missing"]({"image": image, "audio": 0.2, "image+audio": 0.1})
        found.add("late", 0.1, seed, measures={"missing": table})
    (picture,) = found.draw("missing")
    (panel,) = picture.figure.axes
    assert [text.get_text() for text in panel.get_yticklabels()] == ["image", "audio", "image + audio"]
    assert line(panel, "late") == [(0.35, 0), (0.2, 1), (0.1, 2)]
    assert line(panel, "chance")[0][0] == 0.5
    assert panel.get_xlabel() == "EER (← better)"


@pytest.mark.parametrize(("metric", "worst"), [("accuracy", 0.2), ("rmse", 0.8)])
def test_of_more_modalities_there_are_the_mean_and_the_worst_by_how_many_are_left(results, tables, line, metric, worst):
    found = results(modalities=tuple("abcd"), metric=metric, higher=metric == "accuracy")
    table = tables["missing"]({"a": 0.2, "b": 0.8, "a+b": 0.6, "a+b+c": 0.7, "a+b+c+d": 0.9})
    found.add("late", 0.9, measures={"missing": table}, notes={"subsets": 4, "of": 14})
    (picture,) = found.draw("missing")
    (panel,) = picture.figure.axes
    assert line(panel, "late, mean") == [(1, 0.5), (2, 0.6), (3, 0.7), (4, 0.9)]
    assert line(panel, "late, worst")[0] == (1, worst)
    assert "4 of 14 subsets were evaluated" in words(picture.figure)


def test_a_matching_matrix_is_symmetric_and_there_is_one_for_each_method(results, tables):
    found = results(modalities=("a", "b", "c"))
    for seed, ab in enumerate((0.5, 0.7)):
        table = tables["matching"]({("a", "b"): ab, ("a", "c"): 0.2, ("b", "c"): -0.1})
        found.add("late", 0.9, seed, measures={"matching": table})
    found.add("gated[width=8]", 0.8, measures={"matching": tables["matching"]({("a", "b"): 0.1, ("a", "c"): 0.3})})
    late, gated = found.draw("matching")
    assert (late.name, gated.name) == ("matching-late", "matching-gated+width=8")
    image = late.figure.axes[0].images[0].get_array().filled(9)
    assert image[0].tolist() == pytest.approx([9, 0.6, 0.2])
    assert (image == image.T).all()
    written = [text.get_text() for text in late.figure.axes[0].texts]
    assert written == ["–", "0.60", "0.20", "0.60", "–", "−0.10", "0.20", "−0.10", "–"]
    assert "at most 0.14" in words(late.figure)


def test_of_two_modalities_a_matching_matrix_is_no_picture(results, tables):
    found = results()
    found.add("late", 0.9, measures={"matching": tables["matching"]({("image", "audio"): 0.5})})
    with pytest.raises(NothingToDrawError, match="one number"):
        found.draw("matching")


def test_pairs_without_a_mapped_score_make_no_matrix(results, tables):
    found = results(modalities=("a", "b", "c"))
    table = {"pairs": {"first": ["a"], "second": ["b"], "rows": [5]}}
    found.add("late", 0.9, measures={"matching": table})
    with pytest.raises(NothingToDrawError, match="no method has mapped scores"):
        found.draw("matching")


@pytest.mark.parametrize("kind", ["robustness", "reliability", "contribution", "missing"])
def test_what_was_not_measured_is_told_with_what_to_run(results, kind):
    found = results()
    found.add("late", 0.9)
    with pytest.raises(NothingToDrawError, match="run `mmbench run … --measures"):
        found.draw(kind)


def test_what_does_not_apply_is_told_in_the_words_of_the_measure(results):
    found = results()
    found.add("late", 0.9, measures={"missing": {}}, reason="late needs every modality of every sample")
    with pytest.raises(NothingToDrawError, match="late needs every modality"):
        found.draw("missing")
