"""Ctrl-C, SIGTERM and the death of mmbench itself: nothing is lost, and no process outlives it."""

import os
import signal
import subprocess
import sys

import pytest

WORDS = "run -m slow -m leaver-stuck -d tiny --seeds 2 -j 2 --measures none"
SLOW = tuple(WORDS.split())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_cleanly(start, until, noted, family, records, number):
    sweep = start(*SLOW, DRILL_SECONDS="1")
    until(lambda: records() and noted("stuck"), "a record, and a cell that never ends")
    os.killpg(sweep.pid, number)  # as a terminal and a batch system do: to all
    output, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert "1 ok; 0 done before" in output
    assert "the same command goes on from here" in output
    assert "Traceback" not in output
    assert not family()
    assert records().keys() == {"slow"}


def test_a_signal_before_the_first_worker_stops_cleanly_too(start, until, family):
    sweep = start(*SLOW)
    until(lambda: len(family()) > 1, "the server")
    os.killpg(sweep.pid, signal.SIGINT)
    output, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert "none of 4 cells was finished; 0 done before" in output or "nothing was left to run" in output
    assert "the same command goes on from here" in output
    assert "Traceback" not in output
    until(lambda: not family(), "the end of the server")


def test_the_second_signal_leaves_at_once(start, until, noted, family):
    sweep = start(*SLOW, DRILL_SECONDS="30")
    until(lambda: noted("fits") and noted("stuck"), "two cells in flight")
    os.kill(sweep.pid, signal.SIGINT)
    os.kill(sweep.pid, signal.SIGTERM)
    output, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert "Traceback" not in output
    until(lambda: not family(), "the end of all processes")


STUBBORN = """
import time
from mmbench.cli.interrupts import Interrupts
with Interrupts(lambda: print("left", flush=True)):
    try:
        print("begun", flush=True)
        time.sleep(600)
    except KeyboardInterrupt:
        print("stopping", flush=True)
        time.sleep(600)
"""


def test_the_second_signal_does_not_wait_for_what_the_first_has_begun():
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for expected in ("begun", "stopping"):
        assert process.stdout.readline().strip() == expected
        process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert (output.strip(), error, process.returncode) == ("left", "", 130)


def test_nothing_outlives_a_killed_sweep(start, until, noted, family):
    sweep = start(*SLOW, DRILL_SECONDS="30")
    until(lambda: noted("fits") and noted("stuck"), "two cells in flight")
    sweep.kill()
    sweep.communicate(timeout=60)
    until(lambda: not family(), "the end of what cannot hear of it, and of what has left its group")


def test_a_signal_while_intervals_are_computed(start, until, family, records):
    words = ("run", "-m", "good", "-m", "slow", "-d", "long", "-d", "long[rows=48]", "--seeds", "2", "-j", "2")
    sweep = start(*words, DRILL_SECONDS="0")
    until(lambda: len(records()["good"]) + len(records()["slow"]) == 8 if len(records()) == 2 else False, "all records")
    until(lambda: any(_is_pool(pid) for pid in family()), "the pool")
    os.killpg(sweep.pid, signal.SIGINT)
    output, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert "8 ok" in output
    assert "Traceback" not in output
    until(lambda: not family(), "the end of all processes")


def _is_pool(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:  # noqa: PTH123
            return "spawn_main" in file.read()
    except OSError:
        return False
