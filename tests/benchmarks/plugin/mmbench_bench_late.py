"""Late fusion that says where it runs."""

import os
from pathlib import Path

from mmbench_levels.late import Late


class Told(Late):
    """Leaves a file in the folder $BENCH_TOLD, whose name is the number of its process."""

    def begin(self, train):
        Path(os.environ["BENCH_TOLD"], str(os.getpid())).touch()
