"""``mmbench data check`` tells what it finds, and fails for leaks that a card does not state."""

import json

SAYS = "1 row of test is equal to a row of train in every modality (class agrees)"


def test_a_clean_dataset_passes(mmbench):
    done = mmbench("data", "check", "clean")
    assert done.returncode == 0, done.stderr
    assert "clean  (40 train, 20 validation, 20 test)" in done.stdout
    assert "nothing to warn of" in done.stdout


def test_a_leak_that_the_card_does_not_state_fails(mmbench):
    done = mmbench("data", "check", "leaky")
    assert done.returncode == 1
    assert f"leak: {SAYS}  [not on the card]" in done.stdout


def test_a_leak_that_the_card_states_passes_and_what_is_gone_is_told(mmbench):
    done = mmbench("data", "check", "stated")
    assert done.returncode == 0
    assert f"leak: {SAYS}\n" in done.stdout
    assert "on the card, but not found: this was mended" in done.stdout


def test_parameters_are_those_of_the_builder(mmbench):
    assert mmbench("data", "check", "clean[leak=1]").returncode == 1
    assert mmbench("data", "check", "clean[leek=1]").returncode == 2


def test_programs_read_the_same_as_people(mmbench):
    done = mmbench("data", "check", "leaky", "clean[rows=30]", "--json")
    leaky, clean = json.loads(done.stdout)
    assert done.returncode == 1
    assert leaky["dataset"] == "leaky"
    assert leaky["leaks"] == leaky["warnings"] == leaky["not_on_card"] == leaky["leaks_not_on_card"] == [SAYS]
    assert leaky["rows"] == {"train": 40, "validation": 20, "test": 20}
    assert clean["dataset"] == "clean[rows=30]"
    assert clean["warnings"] == []
    assert clean["targets"]["classes"]["train"] == [15, 15]


def test_without_names_it_checks_what_can_be_made_here(mmbench):
    done = mmbench("data", "check", "--json")
    assert done.returncode == 1
    assert "far is left out: the files of stars, moons are not fetched" in done.stderr
    assert {report["dataset"]: len(report["leaks"]) for report in json.loads(done.stdout)} == {
        "clean": 0,
        "leaky": 1,
        "stated": 1,
    }


def test_a_dataset_that_cannot_be_made_costs_itself_alone(mmbench, tmp_path):
    for name in ("stars", "moons"):
        (tmp_path / "files" / name).mkdir(parents=True)
    (tmp_path / "site" / "mmbench_small_data.py").write_text("raise OSError('the disk is not there')")
    done = mmbench("data", "check", MMBENCH_DATA=str(tmp_path / "files"))
    assert done.returncode == 1
    assert done.stdout.count("cannot be checked: OSError: the disk is not there") == 4


def test_an_unknown_name_is_told(mmbench):
    done = mmbench("data", "check", "cleen")
    assert done.returncode == 2
    assert "did you mean clean?" in " ".join(done.stderr.split())
