"""What an author writes: a ``FusionModel``, a ``Term``, or, where no single gradient descent fits, an
``Estimator``; and what the harness hands to the last of them, a ``Run``."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from torch import Tensor, nn

from mmbench.core.training import Training
from mmbench.nn.heads import Criterion
from mmbench.nn.records import Batch, FusionOutput, Inputs, Split


class FusionModel(nn.Module):
    """An ordinary ``nn.Module`` that the harness trains, selects, and asks for predictions.

    State lives in parameters and buffers, never in plain attributes. Override ``forward``, and
    of the rest only what the method needs.

    Attributes:
        training_options: the trainer's options; ``Training()`` is the suite's default.
        together: whether all seeds can be trained at once, or the reason why not.
        packed: whether ``begin`` and ``finish`` take splits whose values are bytes (``Split.scaling``);
            otherwise they are unpacked for them, at four times the memory.
        gradients: ``({parameter name: gradient}, output, batch) -> the same``, or None.
    """

    training_options: ClassVar[Training] = Training()
    together: ClassVar[bool | str] = True
    packed: ClassVar[bool] = False
    gradients: Callable[[dict[str, Tensor], FusionOutput, Batch], dict[str, Tensor]] | None = None

    def forward(self, inputs: Inputs) -> FusionOutput:
        """One pass over B samples, each with at least one modality."""
        raise NotImplementedError

    def begin(self, train: Split) -> None:
        """Before the first step: buffers that depend on the train split, such as a class prior."""

    def loss(self, output: FusionOutput, batch: Batch, criterion: Criterion) -> Tensor:
        """() to be minimised; by default the task's criterion plus ``output.losses``."""
        total = sum(output.losses.values(), start=batch.epoch.new_zeros(()))
        return total if output.prediction is None else total + criterion(output.prediction, batch)

    def finish(self, train: Split, validation: Split) -> None:
        """After the last step, in eval mode without gradients: buffers fitted on data."""


class Term(nn.Module):
    """A loss, target rule or augmentation that composes onto any fusion model from outside."""

    def begin(self, train: Split) -> None:
        """Before the first step."""

    def inputs(self, inputs: Inputs) -> Inputs:
        """Augmented inputs; training alone."""
        return inputs

    def targets(self, output: FusionOutput, batch: Batch) -> Tensor | None:
        """(B,K) soft targets for the criterion, None to leave them; training alone."""
        return None

    def forward(self, output: FusionOutput, batch: Batch) -> Tensor:
        """() unweighted loss, added with the weight that the user gives."""
        return batch.epoch.new_zeros(())


@runtime_checkable
class Estimator(Protocol):
    """All that the harness runs. Optional besides: ``embed(split) -> {m: (N,d_m), "fused": (N,d)}``
    and ``generate(split, modality) -> Inputs`` with that modality alone; and an attribute
    ``packed = True``, if it hands splits to ``run.train`` alone and takes those with ``scaling``."""

    def fit(self, train: Split, validation: Split, run: "Run") -> Self:
        """Learn from ``train``; select on ``validation``."""
        ...

    def predict(self, split: Split) -> Tensor:
        """(N,K) probabilities (values in regression), on the CPU, for a split without targets."""
        ...


class Fitted(Protocol):
    """A trained fusion model."""

    model: FusionModel

    def predict(self, split: Split) -> Tensor:
        """(N,K) probabilities or values, on the CPU."""
        ...

    def output(self, split: Split) -> FusionOutput:
        """Every field of the forward pass, over the whole split, on the CPU."""
        ...


class Run(Protocol):
    """What an estimator's ``fit`` is given.

    Attributes:
        seed: the cell's; every random draw comes from it.
        device: of the cell, as torch names it.
        posterior: the dataset's exact p(y|x), split -> (N,K), where it is known; else None.
    """

    seed: int
    posterior: Callable[[Split], Tensor] | None

    @property
    def device(self) -> str: ...

    def train(
        self,
        build: Callable[[], FusionModel],
        train: Split,
        validation: Split,
        options: Training | None = None,
        terms: Sequence[tuple[Term, float]] = (),
    ) -> Fitted:
        """Train a fusion model as the harness does; ``options`` instead of the model's own."""
        ...

    def score(self, fitted: Any, split: Split) -> float:
        """The task's main metric of anything with ``predict``, turned so that higher is better."""
        ...
