"""A worker that dies costs the cells in flight alone; they are tried once more, and no process is left."""

import psutil

KILLED = "the worker was killed by signal 9 (SIGKILL); if nobody did that, the system ran out of memory"
DEATHS = {
    "killed": KILLED,
    "segfault": "the worker was killed by signal 11 (SIGSEGV)",
    "exits": "the worker left with exit code 3 before it was done",
    "greedy": "out of memory: Unable to allocate 7.11 PiB for an array with shape (1000000000000000,)",
    "greedy-torch": "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000000 bytes",
}
ONCE = {
    "once": KILLED,
    "greedy-once": "out of memory",
    "stillborn": "the worker left with exit code 4 before it was done",
}


def test_a_worker_dies_of_a_cell_twice_at_most(mmbench, records, outcomes):
    methods = [word for method in (*DEATHS, *ONCE) for word in ("-m", method)]
    done = mmbench("run", "-m", "good", *methods, "-d", "tiny", "-d", "mortal", "--seeds", "2")
    assert done.returncode == 1, done.stderr
    for method, message in DEATHS.items():
        for status, said, attempts in outcomes(method):
            assert (status, attempts) == ("killed", 2), method
            assert message in said, method
        assert f"{method} on tiny, seed 0: killed: " in done.stderr
    assert "MemoryError" in records()["greedy"][0]["outcome"]["traceback"]
    assert outcomes("once") == outcomes("greedy-once") == [("ok", "", 2), ("ok", "", 1)]
    assert outcomes("stillborn") == [("ok", "", 2)] * 2, "its worker died before it came to any of them"
    for method, message in ONCE.items():
        assert f"{method} on tiny: {message}; going on in a fresh worker" in done.stderr
        scores = [record["scores"] for record in records()[method]]
        assert scores == [record["scores"] for record in records()["good"]], method
    assert "mortal: its data could not be made: the worker left with exit code 5 before it was done" in done.stderr
    assert outcomes("good") == [("ok", "", 1)] * 2
    assert "Traceback" not in done.stderr + done.stdout


def test_seeds_that_are_trained_together_die_together(mmbench, records, outcomes):
    methods = ("-m", "good", "-m", "killed", "-m", "once", "-m", "greedy")
    done = mmbench("run", *methods, "-d", "tiny", "--seeds", "2", "--seeds-mode", "together")
    assert done.returncode == 1, done.stderr
    assert {record["execution"]["seeds"] for record in records()["once"]} == {"together"}
    assert outcomes("killed") == [("killed", KILLED, 2)] * 2
    assert [outcome[::2] for outcome in outcomes("greedy")] == [("killed", 2)] * 2
    assert outcomes("once") == [("ok", "", 2)] * 2
    scores = [record["scores"] for record in records()["once"]]
    assert scores == [record["scores"] for record in records()["good"]]


def test_what_a_worker_leaves_behind_is_ended_with_it(mmbench, outcomes, noted):
    methods = ("-m", "leaver", "-m", "leaver-dies", "-m", "witness")
    done = mmbench("run", *methods, "-d", "tiny", "--seeds", "2", "-j", "1")
    assert outcomes("leaver") == [("ok", "", 1)] * 2, "what it leaves need not be waited for"
    assert [outcome[0] for outcome in outcomes("leaver-dies")] == ["killed"] * 2
    assert outcomes("witness") == [("ok", "", 1)] * 2, "while the sweep went on"
    assert len(noted("left")) == 6 * 5
    assert not done.stderr.count("resource_tracker")


def test_a_server_that_dies_is_replaced(start, outcomes, until, noted):
    sweep = start("run", "-m", "slow", "-d", "tiny", "--seeds", "2", DRILL_SECONDS="1")
    until(lambda: noted("fits"), "a cell in flight")
    psutil.Process(noted("fits")[0]).parent().kill()
    output, _ = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, output
    assert outcomes("slow") == [("ok", "", 2), ("ok", "", 1)]
