"""What looking around costs: ``--help`` and ``list`` against an interpreter that does nothing. Goal 9."""

import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

from pairs import Versus, compare, keep

ROUNDS = 15
COMMANDS = {"mmbench --help": 10.0, "mmbench list methods": 15.0}


def children_cpu():
    """Seconds of user and system time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_looking_around(benchmark, plugin_environment):
    script = str(Path(sys.executable).with_name("mmbench"))
    environment = {name: value for name, value in plugin_environment.items() if name != "PYTHONPATH"}
    cpu = {}

    def call(name, words):
        before = children_cpu()
        subprocess.run(words, env=environment, capture_output=True, check=True)
        cpu.setdefault(name, []).append(children_cpu() - before)

    commands = {name: [script, *name.split()[1:]] for name in COMMANDS}
    nothing = {"nothing": partial(call, "nothing", [sys.executable, "-c", "pass"])}
    others = {name: partial(call, name, words) for name, words in commands.items()}
    pass_seconds, seconds = compare(benchmark, nothing["nothing"], others, ROUNDS)
    count = len(pass_seconds)
    for name, aim in COMMANDS.items():
        wall = Versus(f"`{name}` / `python -c pass`, wall time", "share", aim, 9)
        keep(benchmark, wall.record("Start-up", seconds[name], pass_seconds))
        busy = Versus(f"`{name}` / `python -c pass`, CPU time", "share", aim, 9)
        keep(benchmark, busy.record("Start-up", cpu[name][-count:], cpu["nothing"][-count:]))
