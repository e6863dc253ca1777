"""Methods of the drill that take their process with them, or leave something behind."""

import ctypes
import gc
import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import torch
from mmbench_drill_models import Good, note, noted


class Killed(Good):
    def begin(self, train):
        os.kill(os.getpid(), signal.SIGKILL)


class Segfault(Good):
    def begin(self, train):
        ctypes.string_at(0)


class Exits(Good):
    def begin(self, train):
        os._exit(3)


class Hangs(Good):
    def begin(self, train):
        while True:
            time.sleep(1)


class Stuck(Good):
    """Never comes back from C, and holds the interpreter's lock."""

    def begin(self, train):
        note("stuck", os.getpid())
        sum(itertools.repeat(0))


class Hog(Good):
    """Takes more and more memory."""

    def begin(self, train):
        blocks = []
        while True:
            blocks.append(np.ones(4 * 2**20))  # 32 MiB
            time.sleep(0.01)


class HogElsewhere(Good):
    """Lets another process take it."""

    def begin(self, train):
        code = "import time\nblocks = [bytes(b'x') * 2**28 for _ in range(3)]\ntime.sleep(600)"
        subprocess.run([sys.executable, "-c", code], check=False)


class Fork(Good):
    """Holds much and shares it with its children: there is one copy of it."""

    def begin(self, train):
        block = np.ones(16 * 2**20)  # 128 MiB
        children = []
        for _ in range(4):
            child = os.fork()
            if not child:
                time.sleep(1)
                os._exit(int(block[-1]) - 1)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)


class Once(Good):
    """Dies the first time."""

    def begin(self, train):
        if not noted("once"):
            note("once", os.getpid())
            os.kill(os.getpid(), signal.SIGKILL)


class GreedyOnce(Good):
    """There is no memory for it the first time."""

    def begin(self, train):
        if not noted("greedy-once"):
            note("greedy-once", os.getpid())
            raise MemoryError


class Leaver(Good):
    """Leaves processes and threads behind that would live long: children in its group, one in a group of
    its own, a grandchild in a session of its own whose parent has gone, and what only ends when asked."""

    def begin(self, train):
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        note("left", subprocess.Popen(sleep).pid)
        note("left", subprocess.Popen(sleep, start_new_session=True).pid)
        left = os.fork()
        if not left:
            os.setsid()
            note("left", os.getpid())
            if os.fork():
                os._exit(0)
            note("left", os.getpid())
            time.sleep(600)
            os._exit(0)
        os.waitpid(left, 0)
        process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
        process.start()
        note("left", process.pid)
        threading.Thread(target=time.sleep, args=(600,)).start()


class LeaverDies(Leaver):
    """The same, and does not come to its end."""

    def begin(self, train):
        super().begin(train)
        os.kill(os.getpid(), signal.SIGSEGV)


class LeaverStuck(Leaver):
    """The same, and never comes back from C."""

    def begin(self, train):
        super().begin(train)
        note("stuck", os.getpid())
        sum(itertools.repeat(0))


class Witness(Good):
    """Looks for what others have left."""

    def begin(self, train):
        alive = [pid for pid in noted("left") if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110
        if alive or not noted("left"):
            raise RuntimeError(f"{len(alive)} processes outlive their worker")


class Meddler(Good):
    """The first one in a process puts every switch of the process in another position. The next must not notice."""

    first = True

    def begin(self, train):
        if not Meddler.first:
            return
        Meddler.first = False
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.autograd.set_detect_anomaly(True)
        torch.set_float32_matmul_precision("medium")
        torch.set_flush_denormal(True)
        torch.set_autocast_enabled("cpu", True)
        torch.backends.mkldnn.enabled = False
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        np.seterr(all="raise")
        warnings.simplefilter("error")
        gc.disable()
        os.environ["OMP_NUM_THREADS"] = "7"
        os.environ.pop("HOME", None)
        os.chdir("/")
