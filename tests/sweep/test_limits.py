"""Limits of time and memory: what passes them is stopped, whatever it does."""

import re

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.sweep.memory import in_words, read_size

TIME = "the worker was stopped at the time limit of 5 s (--timeout)"
MEMORY = re.compile(r"out of memory: the worker used [\d.]+ [MG]iB of the 400 MiB that --memory allows")


def test_what_takes_too_long_is_stopped_even_if_it_never_comes_back_from_c(mmbench, outcomes):
    words = ("-m", "hangs", "-m", "stuck", "-d", "tiny", "--seeds", "2", "-j", "2")
    done = mmbench("run", *words, "--timeout", "5")
    assert done.returncode == 1, done.stderr
    for method in ("hangs", "stuck"):
        assert outcomes(method) == [("timeout", TIME, 1), ("timeout", f"{TIME} before it came to this seed", 0)]
    assert "Traceback" not in done.stderr + done.stdout


def test_what_takes_too_much_memory_is_stopped_whoever_holds_it(mmbench, outcomes):
    methods = [word for method in ("hog", "hog-elsewhere", "fork", "good") for word in ("-m", method)]
    done = mmbench("run", *methods, "-d", "tiny", "--seeds", "2", "--memory", "400MiB")
    assert done.returncode == 1, done.stderr
    for method in ("hog", "hog-elsewhere"):
        for status, message, attempts in outcomes(method):
            assert (status, attempts) == ("killed", 2), message
            assert MEMORY.fullmatch(message), message
    assert [outcome[0] for outcome in outcomes("fork")] == ["ok"] * 2, "what is shared was counted more than once"
    assert outcomes("good") == [("ok", "", 1)] * 2
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4", 4 * 2**30),
        ("0.5", 2**29),
        ("2GiB", 2**31),
        ("2 gib", 2**31),
        ("500MB", 500_000_000),
        (" 1.5 TB ", 1_500_000_000_000),
        ("4096KiB", 2**22),
    ],
)
def test_sizes_as_people_write_them(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "0GiB", "4 G", "1e3", "4 GiB each", "10kB", "nan", "1..5GB"])
def test_what_is_no_size_is_told(text):
    with pytest.raises(MmbenchError, match=re.escape(repr(text))):
        read_size(text)


def test_sizes_in_words():
    assert [in_words(size) for size in (2**20, 300 * 2**20, 2**30, 1_400_000_000)] == [
        "1 MiB",
        "300 MiB",
        "1.0 GiB",
        "1.3 GiB",
    ]
