"""Score against throughput: what is on the front, and never two device settings in one picture."""

import pytest

from mmbench.plots.choice import NothingToDrawError
from mmbench.results.throughput import DeviceSetting

GPU = DeviceSetting(device="cuda", name="B", torch="2")


def points(picture, label):
    (panel,) = picture.figure.axes
    (found,) = [one for one in panel.lines if one.get_label() == label]
    return sorted((float(x), float(y)) for x, y in found.get_xydata())


def words(picture):
    return " ".join(" ".join(text.get_text().split()) for text in picture.figure.texts)


def filled(picture):
    """Methods that are marked as being on the front."""
    return {
        bars.get_label() for bars in picture.figure.axes[0].containers if bars.lines[0].get_markerfacecolor() != "white"
    }


def test_the_front_has_what_nothing_beats_in_both(results):
    found = results()
    rows = {"slow": (0.9, 10), "fast": (0.6, 1000), "beaten": (0.5, 900), "middle": (0.7, 100), "twin": (0.65, 100)}
    for method, (score, speed) in rows.items():
        found.add(method, score)
        found.time(method, {1: speed / 2, 256: speed, 512: speed * 4})
    (picture,) = found.draw("pareto")
    assert picture.name == "pareto"
    assert points(picture, "front") == [(10, 0.9), (100, 0.7), (1000, 0.6)]
    assert filled(picture) == {"slow", "fast", "middle"}
    assert len(points(picture, "all")) == 5
    assert picture.figure.axes[0].get_xscale() == "log"
    assert "→ better" in picture.figure.axes[0].get_xlabel()


def test_where_less_is_better_the_front_turns_round(results):
    found = results(metric="rmse", higher=False, chance=None, kind="regression")
    for method, score, speed in (("slow", 1.0, 10), ("fast", 2.0, 100), ("beaten", 3.0, 50)):
        found.add(method, score)
        found.time(method, {1: speed})
    (picture,) = found.draw("pareto")
    assert points(picture, "front") == [(10, 1.0), (100, 2.0)]
    assert picture.figure.axes[0].get_ylabel() == "RMSE, target units (↓ better)"


def test_two_settings_never_share_a_picture(results):
    found = results()
    for place, method in enumerate(("late", "gated")):
        found.add(method, 0.8 + place / 10)
        found.time(method, {1: 10.0 + place})
        found.time(method, {1: 1000.0 + place}, GPU)
    pictures = found.draw("pareto")
    speeds = [[speed for speed, _ in points(picture, "all")] for picture in pictures]
    assert speeds == [[10, 11], [1000, 1001]]
    assert len({picture.name for picture in pictures}) == 2
    assert "cpu: A" in words(pictures[0])
    assert "cuda: B" in words(pictures[1])


def test_methods_that_were_measured_under_different_settings_alone_are_not_compared(results):
    found = results()
    for method, setting in (("late", None), ("gated", GPU)):
        found.add(method, 0.8)
        found.time(method, {1: 10.0}, *([setting] if setting else []))
    with pytest.raises(NothingToDrawError, match="under one device setting"):
        found.draw("pareto")


def test_a_guess_is_on_no_front_however_fast_it_is(results):
    found = results(chance=0.25)
    for method, score, speed in (("late", 0.9, 10), ("gated", 0.8, 20), ("prior", 0.25, 1e8)):
        found.add(method, score, role="floor" if method == "prior" else "method")
        found.time(method, {1: speed})
    (picture,) = found.draw("pareto")
    assert [speed for speed, _ in points(picture, "all")] == [10, 20]


def test_the_throughput_of_the_default_is_not_taken_for_that_of_tuned_rows(results):
    found = results()
    tuned = {"tuned": True, "trials": 20, "sampler": "random"}
    for method in ("late", "gated"):
        found.add(f"{method}[width=8]", 0.9, **tuned)
        found.time(method, {1: 10.0})
    with pytest.raises(NothingToDrawError, match="under one device setting"):
        found.draw("pareto")
    for method in ("late", "gated"):
        found.time(f"{method}[width=8]", {1: 30.0})
    (picture,) = found.draw("pareto")
    assert [speed for speed, _ in points(picture, "all")] == [30, 30]


def test_reservations_are_told(results):
    found = results()
    for method in ("late", "gated"):
        found.add(method, 0.9)
        found.time(method, {1: 10.0}, busy=method == "late")
    (picture,) = found.draw("pareto")
    assert "Throughput of 1 row was measured on a busy machine" in words(picture)
    assert "another version" not in words(picture)


def test_points_that_are_neither_chosen_nor_on_the_front_are_counted(results):
    found = results()
    for place in range(9):
        found.add(f"m{place}", 0.9 - place / 100)
        found.time(f"m{place}", {1: 100.0 - place})
    (picture,) = found.draw("pareto")
    assert "Grey dots: 3 other rows." in words(picture)
    (only,) = found.draw("pareto", "m8")
    assert [bars.get_label() for bars in only.figure.axes[0].containers] == ["m8"]
