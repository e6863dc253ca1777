"""The contract's checks can fail: for each fault, a model that has it, and the check that finds it."""

import os
import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from mmbench import FusionModel, FusionOutput, Head, MethodCard, MmbenchError, ModalityEncoders
from mmbench.testing.contract import ContractError, checks_for
from mmbench.train.run import CellRun


class Good(FusionModel):
    """Late fusion; each fault below is one change of it."""

    def __init__(self, task, *, width: int = 8):
        super().__init__()
        self.task, self.width = task, width
        self.encode = ModalityEncoders(task, width)
        self.head = Head(task, width * len(task.modalities), dropout=0.0)

    def forward(self, inputs):
        encoded = self.encode(inputs)
        fused = self.fuse(encoded, inputs)
        return FusionOutput(self.head(fused), self.embeddings(encoded, fused), fused)

    def fuse(self, encoded, inputs):
        return encoded.concat()

    def embeddings(self, encoded, fused):
        return encoded.vectors


class PlainList(Good):
    """MultiBench's low-rank fusion: factors in a list."""

    def __init__(self, task):
        super().__init__(task)
        self.factors = [torch.rand(8 * len(task.modalities), dtype=torch.float64)]

    def fuse(self, encoded, inputs):
        return encoded.concat() * self.factors[0].to(encoded.concat().dtype)


class DrawnNumber(Good):
    """A number drawn at the start, which no checkpoint holds."""

    def __init__(self, task):
        super().__init__(task)
        self.scale = float(torch.rand(()))

    def fuse(self, encoded, inputs):
        return encoded.concat() * self.scale


class AcrossSamples(Good):
    """Fusilli: (batch, embed) into attention, which takes the batch for a sequence."""

    def fuse(self, encoded, inputs):
        h = encoded.concat()
        return h + (h @ h.T).softmax(-1) @ h


class BatchStatistics(Good):
    def fuse(self, encoded, inputs):
        h = encoded.concat()
        return h - h.mean(0)


class Squeezed(Good):
    """Right but for a batch of one row."""

    def forward(self, inputs):
        output = super().forward(inputs)
        return FusionOutput(output.prediction.squeeze(0), output.embeddings)


class Ignores(Good):
    """MultiBench++: computes what a modality says, and leaves it out."""

    def fuse(self, encoded, inputs):
        h = encoded.stack()
        return torch.cat([h[:, :-1], 0 * h[:, -1:]], 1).flatten(1) if h.shape[1] > 1 else h.flatten(1)


class ReadsAbsent(Good):
    def fuse(self, encoded, inputs):
        return torch.cat([encoded.tokens[name].mean(1) for name in inputs.names], 1)


class AbsentGradient(Good):
    """The values do not show in the output, the gradient goes to them all the same."""

    def fuse(self, encoded, inputs):
        value = next(x for x in inputs.values.values() if x.is_floating_point())
        total = value.flatten(1).sum(1, keepdim=True).to(encoded.concat().dtype)
        return encoded.concat() + (total - total.detach())


class ReadsPadding(Good):
    def fuse(self, encoded, inputs):
        extra = [x.flatten(1).sum(1) for name, x in inputs.values.items() if name in inputs.lengths]
        here = [inputs.here(name) for name in inputs.names if name in inputs.lengths]
        h = encoded.concat()
        for x, there in zip(extra, here, strict=True):
            h = h + torch.where(there, x.to(h.dtype), 0)[:, None]
        return h


class EmbedsFused(Good):
    def embeddings(self, encoded, fused):
        return dict.fromkeys(self.task.names, fused)


class ConstantEmbedding(Good):
    def embeddings(self, encoded, fused):
        return {name: torch.ones_like(x) for name, x in encoded.vectors.items()}


class Dead(Good):
    """A query over one key: its softmax is 1 whatever it asks."""

    def __init__(self, task):
        super().__init__(task)
        self.query = nn.Parameter(torch.randn(8))

    def fuse(self, encoded, inputs):
        mean = encoded.stack().mean(1, keepdim=True)
        weight = (mean @ self.query).softmax(-1)
        return encoded.concat() * weight


class Detached(Good):
    def fuse(self, encoded, inputs):
        return encoded.concat().detach()


class NoisyEvaluation(Good):
    def fuse(self, encoded, inputs):
        return encoded.concat() + 0.1 * torch.randn_like(encoded.concat())


class Remembers(Good):
    """Counts its calls, in evaluation too."""

    def __init__(self, task):
        super().__init__(task)
        self.register_buffer("calls", torch.zeros(()))

    def fuse(self, encoded, inputs):
        self.calls += 1
        return encoded.concat()


class Unseeded(Good):
    def __init__(self, task):
        super().__init__(task)
        with torch.no_grad():
            source = torch.Generator()
            source.seed()
            self.head.layers[0].weight.normal_(generator=source)


class SeedsItself(Good):
    def __init__(self, task):
        torch.manual_seed(1234)
        super().__init__(task)


class SeedsNumpy(Good):
    def begin(self, train):
        np.random.seed(0)
        random.seed(0)


class SetsThreads(Good):
    def begin(self, train):
        torch.set_num_threads(torch.get_num_threads() + 1)


class SetsDefaultDtype(Good):
    def begin(self, train):
        torch.set_default_dtype(torch.float64)


class SetsEnvironment(Good):
    def begin(self, train):
        os.environ["CONTRACT_DRILL"] = "1"


class Silences(Good):
    def begin(self, train):
        warnings.filterwarnings("ignore", message="a contract drill")


class WritesInputs(Good):
    def fuse(self, encoded, inputs):
        next(iter(inputs.values.values())).mul_(1)
        return encoded.concat()


class SinglePrecision(Good):
    def forward(self, inputs):
        output = super().forward(inputs)
        return FusionOutput(output.prediction.float(), output.embeddings)


class Probabilities(Good):
    """Not logits but one class too many."""

    def forward(self, inputs):
        output = super().forward(inputs)
        return FusionOutput(torch.cat([output.prediction, output.prediction[:, :1]], 1))


class Infinite(Good):
    def forward(self, inputs):
        return FusionOutput(super().forward(inputs).prediction / 0)


class WrongKey(Good):
    def embeddings(self, encoded, fused):
        return {"both": fused}


class ReadsBack(Good):
    """A value read back to the host, which vmap cannot do."""

    def fuse(self, encoded, inputs):
        return encoded.concat() * (2.0 if encoded.concat().sum().item() > 0 else 1.0)


class StateOutside(Good):
    """The number of steps in an attribute: of seeds together, one model alone takes the steps."""

    steps = 0.0

    def forward(self, inputs):
        self.steps += self.training
        output = super().forward(inputs)
        return FusionOutput(output.prediction * (1 + self.steps), output.embeddings)


class Unlearning(Good):
    """The loss is not of the prediction."""

    def loss(self, output, batch, criterion):
        return output.prediction.square().mean() + sum(p.sum() for p in self.parameters()) * 1e-9


class FirstSlot(Good):
    """Claims that modalities may change places, and weighs the first."""

    def fuse(self, encoded, inputs):
        h = encoded.stack()
        return (h.sum(1) + h[:, 0]).repeat(1, len(self.task.modalities))


class MisreadsBytes(Good):
    """Says that it takes bytes, and takes them for floats."""

    packed = True

    def __init__(self, task):
        super().__init__(task)
        self.register_buffer("mean", torch.zeros(()))

    def begin(self, train):
        self.mean.fill_(train.inputs.values[train.inputs.names[0]].double().mean())

    def fuse(self, encoded, inputs):
        return encoded.concat() + self.mean


class LeftOut(Good):
    def __init__(self, task, *, batch: int = 3):
        super().__init__(task)


class Estimator:
    """A fusion model inside an estimator; each fault below is one change of it."""

    def __init__(self, task):
        self.task = task

    def fit(self, train, validation, run):
        self.fitted = run.train(lambda: Good(self.task), train, validation)
        return self

    def predict(self, split):
        return self.fitted.predict(split)


class BatchEstimator(Estimator):
    """Transductive: predictions of the split in hand are balanced."""

    def predict(self, split):
        p = self.fitted.predict(split)
        p = p / p.mean(0)
        return p / p.sum(1, keepdim=True)


class ForgetsSoftmax(Estimator):
    def predict(self, split):
        return self.fitted.predict(split).log()


class ScribblingEstimator(Estimator):
    def fit(self, train, validation, run):
        next(iter(train.inputs.values.values())).mul_(1)
        return super().fit(train, validation, run)


class FixedSeed(Estimator):
    def fit(self, train, validation, run):
        return super().fit(train, validation, CellRun(self.task, 0, options=run.options))


FAULTS = [
    (PlainList, "registered", "ParameterList"),
    (PlainList, "round-trip", "fresh model"),
    (DrawnNumber, "round-trip", "fresh model"),
    (AcrossSamples, "rows", "attention over the batch axis"),
    (AcrossSamples, "linear", "square of the batch"),
    (BatchStatistics, "rows", "statistics of the batch"),
    (Squeezed, "rows", "squeeze"),
    (Ignores, "modalities", "ignores that modality"),
    (ReadsAbsent, "absence", "values of an absent modality"),
    (AbsentGradient, "absence", "get a gradient"),
    (ReadsPadding, "padding", "beyond the length"),
    (EmbedsFused, "embeddings", "depends on other modalities"),
    (ConstantEmbedding, "embeddings", "is the same whatever"),
    (Dead, "gradients", "query"),
    (Detached, "gradients", "encode"),
    (NoisyEvaluation, "evaluation", "a draw"),
    (Remembers, "evaluation", "changes calls"),
    (Unseeded, "seeded", "twice with one seed"),
    (SeedsItself, "globals", "torch's random stream"),
    (SeedsNumpy, "globals", "NumPy's random stream, Python's random stream"),
    (SetsThreads, "globals", "number of threads"),
    (SetsDefaultDtype, "globals", "default dtype"),
    (SetsEnvironment, "globals", "environment"),
    (Silences, "globals", "filters of warnings"),
    (WritesInputs, "inputs", "writes into"),
    (SinglePrecision, "output", "float32"),
    (Probabilities, "output", "has shape"),
    (Infinite, "output", "NaN or infinite"),
    (WrongKey, "output", "no modality of the task"),
    (ReadsBack, "together", "cannot be trained at once"),
    (StateOutside, "together", "predict something else"),
    (Unlearning, "learns", "95%"),
    (FirstSlot, "invariance", "permutation-invariant"),
    (MisreadsBytes, "packed", "kept as bytes"),
    (LeftOut, "parameters", "training option"),
    (BatchEstimator, "rows", "output.prediction"),
    (ForgetsSoftmax, "tasks", "not probabilities"),
    (ScribblingEstimator, "inputs", "writes into"),
    (FixedSeed, "seeded", "another seed gives the very same"),
]


class NoDefault(Good):
    def __init__(self, task, *, width):
        super().__init__(task)


def checks(build, **card):
    card = {"claims": ("permutation-invariant",), "build": "a:b", **card}
    return {check.name: check for check in checks_for(MethodCard("drill", "of the contract", **card), build)}


@pytest.fixture(autouse=True)
def same_process():
    threads, dtype, filters = torch.get_num_threads(), torch.get_default_dtype(), list(warnings.filters)
    yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)
    os.environ.pop("CONTRACT_DRILL", None)
    warnings.filters[:] = filters


@pytest.mark.parametrize(("build", "check", "message"), FAULTS, ids=lambda x: getattr(x, "__name__", None))
def test_fault_is_caught(build, check, message):
    with pytest.raises(ContractError, match=message):
        checks(build)[check].run()


@pytest.mark.parametrize("build", [Good, Estimator])
def test_model_without_fault_passes(build):
    for name, check in checks(build, claims=()).items():
        if name != "device":
            check.run()


def test_card_is_taken_at_its_word():
    with pytest.raises(ContractError, match="deterministic=True"):
        checks(Good, deterministic=True)["seeded"].run()
    with pytest.raises(MmbenchError, match="preset 'depth'"):
        checks(Good, preset={"depth": 3})["parameters"].run()
    with pytest.raises(MmbenchError, match="needs a type and a default"):
        checks(NoDefault)["parameters"].run()


def test_what_a_card_excludes_is_not_asked():
    names = set(checks(Good, missing=False, role="floor", claims=()))
    assert not names & {"absence", "modalities", "learns", "invariance"}
    assert not set(checks(Estimator, claims=())) & {"gradients", "together", "registered", "linear"}
