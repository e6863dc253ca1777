"""Methods and terms of the drill."""

import os
import signal
import sys
import time

import torch

from mmbench import FusionModel, FusionOutput, Head, ModalityEncoders, Term, Training


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
    """Each fit takes the time that the drill's environment says."""

    def begin(self, train):
        time.sleep(float(os.environ.get("DRILL_SECONDS", "0.5")))


class Raises(Good):
    def begin(self, train):
        raise RuntimeError("the flux is not compensated")


class Leaves(Good):
    def begin(self, train):
        sys.exit("goodbye")


class Diverges(Good):
    def loss(self, output, batch, criterion):
        return criterion(output.prediction, batch) * torch.where(batch.epoch > 1, torch.nan, 1.0)


class Killed(Good):
    def begin(self, train):
        os.kill(os.getpid(), signal.SIGKILL)


class Hangs(Good):
    def begin(self, train):
        while True:
            time.sleep(1)


class _Estimator:
    """Fits nothing; what it predicts is the subclasses' fault."""

    def __init__(self, task):
        self.task = task

    def fit(self, train, validation, run):
        return self


class Nan(_Estimator):
    def predict(self, split):
        return torch.full((len(split), 3), torch.nan)


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
