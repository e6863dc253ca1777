"""Methods, terms and measures of the drill that go well, or wrong in a way that Python sees."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch

from mmbench import FusionModel, FusionOutput, Head, ModalityEncoders, Range, Term, Training


def note(name, line):
    """Append a line to a file of the drill's notes; without a folder for them, nothing is noted."""
    folder = os.environ.get("DRILL_NOTES")
    if folder:
        with (Path(folder) / name).open("a") as file:
            file.write(f"{line}\n")


def noted(name):
    """The lines of such a file."""
    path = Path(os.environ["DRILL_NOTES"]) / name
    return path.read_text().split() if path.exists() else []


class Good(FusionModel):
    """Late fusion, small; a buffer keeps what ``finish`` saw."""

    training_options = Training(lr=1e-2, batch=32)

    def __init__(self, task, *, width: int = 8):
        super().__init__()
        self.task = task
        self.encode = ModalityEncoders(task, width)
        self.head = Head(task, width * len(task.modalities))

    def forward(self, inputs):
        encoded = self.encode(inputs)
        return FusionOutput(prediction=self.head(encoded.concat()), embeddings=encoded.vectors)


class Slow(Good):
    """Each fit takes the time that the drill's environment says, and leaves a line in its notes."""

    def begin(self, train):
        note("fits", f"{os.getpid()}")
        time.sleep(float(os.environ.get("DRILL_SECONDS", "0.5")))


class Fickle(Good):
    """Has something to search, and values that it does not survive."""

    def __init__(self, task, *, width: Annotated[int, Range(4, 16)] = 8, mood: Literal["good", "bad"] = "good"):
        super().__init__(task, width=width)
        self.mood = mood

    def begin(self, train):
        if self.mood == "bad":
            raise RuntimeError("not today")


class Raises(Good):
    def begin(self, train):
        raise RuntimeError("the flux is not compensated")


class Leaves(Good):
    def begin(self, train):
        sys.exit("goodbye")


class Silent(Good):
    """Raises what cannot be shown."""

    def begin(self, train):
        class SilentError(Exception):
            def __str__(self):
                raise ValueError("no words")

        error = SilentError()
        error.handle = lambda: None  # nor pickled
        raise error


class Babbles(Good):
    """Says more than fits on a line, with what no file can hold."""

    def begin(self, train):
        raise ValueError("\udcff" + "x" * 5000 + "\nand so on")


class Greedy(Good):
    """Asks NumPy for more memory than there is."""

    def begin(self, train):
        np.ones(10**15)


class GreedyTorch(Good):
    """Asks torch for it."""

    def begin(self, train):
        torch.ones(10**15)


class Diverges(Good):
    def loss(self, output, batch, criterion):
        return criterion(output.prediction, batch) * torch.where(batch.epoch > 1, torch.nan, 1.0)


class _Estimator:
    """Fits nothing; what it predicts is the subclasses' fault."""

    def __init__(self, task):
        self.task = task

    def fit(self, train, validation, run):
        return self


class Idle(_Estimator):
    """What a cell costs when its method costs nothing."""

    def predict(self, split):
        return torch.full((len(split), 3), 1 / 3)


class Nan(_Estimator):
    def predict(self, split):
        return torch.full((len(split), 3), torch.nan)


class Strange(_Estimator):
    def predict(self, split):
        return (row for row in range(len(split)))


ODDITY = 0.123


class Unscorable(_Estimator):
    """Predicts what the drill's measure has no number for."""

    def predict(self, split):
        return torch.tensor([[ODDITY, ODDITY, 1 - 2 * ODDITY]]).expand(len(split), 3)


def oddity(evaluation):
    """A measure whose author has not thought of everything."""
    odd = (evaluation.prediction[:, 0].round(6) == ODDITY).all()
    return {"oddity": float("nan")} if odd else {}


class Shape(_Estimator):
    def predict(self, split):
        return torch.full((len(split), 2), 0.5)


class Unnormalised(_Estimator):
    def predict(self, split):
        return torch.full((len(split), 3), 0.9)


class Forgets:
    """Neither a model nor an estimator."""

    def __init__(self, task):
        self.task = task


class Peeks(_Estimator):
    """Would be perfect if it were given test targets."""

    def predict(self, split):
        if split.target is None:
            raise PermissionError("no targets to peek at")
        return torch.nn.functional.one_hot(split.target, 3).float()


class Scribbles(Good):
    """Writes into the data that other seeds are trained and judged on."""

    def begin(self, train):
        train.inputs.values["left"].mul_(0)


class Shrink(Term):
    def __init__(self, task, *, power: int = 2):
        super().__init__()
        self.power = power

    def forward(self, output, batch):
        return output.prediction.abs().pow(self.power).mean()


class Smooth(Term):
    def __init__(self, task, *, amount: float = 0.1):
        super().__init__()
        self.amount, self.outputs = amount, task.outputs

    def targets(self, output, batch):
        hard = torch.nn.functional.one_hot(batch.target, self.outputs).float()
        return (1 - self.amount) * hard + self.amount / self.outputs
