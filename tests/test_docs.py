"""Pages that are made from the code say what the code says."""

import runpy
from pathlib import Path

import pytest

from mmbench.registry import installed

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def build() -> dict[str, object]:
    return runpy.run_path(str(DOCS / "make" / "page.py"))


def test_the_page_of_datasets_is_made_from_the_cards_that_there_are(build):
    assert (DOCS / "datasets.md").read_text(encoding="utf-8") == build["page"](), "run `make docs`"


def test_every_dataset_of_mmbench_has_a_section_and_a_picture():
    text = (DOCS / "datasets.md").read_text(encoding="utf-8")
    own = [card.name for card in installed().datasets.values() if card.build.startswith("mmbench.data.")]
    assert len(own) > 20
    for name in own:
        assert f"### {name}\n" in text
        assert f"pictures/{name}.png" in text
        assert (DOCS / "pictures" / f"{name}.png").is_file()


def test_minutes_on_the_cards_are_those_of_the_committed_leaderboards():
    minutes = runpy.run_path(str(DOCS / "make" / "minutes.py"))["minutes"]
    real = [card for card in installed().datasets.values() if card.collections]
    assert {card.name: card.minutes for card in real} == {card.name: minutes(card.name) for card in real}


def test_the_findings_are_made_from_the_committed_leaderboards():
    page = runpy.run_path(str(DOCS / "make" / "findings.py"))["page"]
    assert (DOCS / "findings.md").read_text(encoding="utf-8") == page(), "run `make docs`"


def test_what_the_measures_say_is_made_from_the_committed_leaderboards():
    page = runpy.run_path(str(DOCS / "make" / "measured.py"))["page"]
    assert (DOCS / "measures" / "findings.md").read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_plugin_of_this_repository_is_an_official_one_and_in_the_readme():
    root = DOCS.parent
    pyproject, readme = ((root / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "README.md"))
    folders = sorted(path.parent.name for path in (root / "plugins").glob("*/pyproject.toml"))
    assert len(folders) > 3
    for name in folders:
        assert f'"mmbench-{name}==' in pyproject
        assert f"](plugins/{name})" in readme
