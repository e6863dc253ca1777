"""A folder is there whole or not at all; what killed processes left goes, and what is being made stays."""

import os
import time

import pytest

from mmbench.data.whole import LEFT_BEHIND, remove_unchanged, whole


def test_a_folder_appears_when_it_is_filled(tmp_path):
    with whole(tmp_path / "new" / "folder") as making:
        (making / "file").write_text("1")
        assert not (tmp_path / "new" / "folder").exists()
    assert (tmp_path / "new" / "folder" / "file").read_text() == "1"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["folder"]


def test_a_failure_leaves_nothing(tmp_path):
    def fill(folder):
        with whole(folder) as making:
            (making / "file").write_text("1")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fill(tmp_path / "folder")
    assert not list(tmp_path.iterdir())


def test_of_two_at_once_the_first_stays(tmp_path):
    with whole(tmp_path / "folder") as slow:
        (slow / "file").write_text("slow")
        with whole(tmp_path / "folder") as fast:
            (fast / "file").write_text("fast")
    assert (tmp_path / "folder" / "file").read_text() == "fast"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_something_else_under_its_name_is_told(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(OSError, match="folder"), whole(tmp_path / "folder"):
        pass


def age(folder, seconds):
    """Make a folder and all that is in it look that old."""
    then = time.time() - seconds
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))


def test_what_killed_processes_left_is_removed_after_a_day(tmp_path):
    for name in (".making-old", ".making-fresh", ".making-at-work", "kept"):
        (tmp_path / name / "whole").mkdir(parents=True)
        (tmp_path / name / "whole" / "file").write_text("1")
        age(tmp_path / name, 60 if name == ".making-fresh" else LEFT_BEHIND + 60)
    (tmp_path / ".making-at-work" / "whole" / "file").write_text("12")
    with whole(tmp_path / "folder"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {".making-fresh", ".making-at-work", "kept", "folder"}


def test_what_vanishes_meanwhile_is_no_fault(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    age(tmp_path / "old", 60)
    monkeypatch.setattr(time, "time", lambda: (tmp_path / "old").rmdir() or 2e9)
    remove_unchanged(tmp_path, "*", 1.0)
    assert not list(tmp_path.iterdir())
