"""Stacking: a linear model learns to combine unimodal predictions (Wolpert 1992)."""

from typing import Annotated, Self

import torch
from torch import Tensor

from mmbench import Fitted, Range, Run, Split, Task
from mmbench_levels.combiner import Combiner
from mmbench_levels.decision import Decision

FOLDS = 3


class Stacking:
    """p(y|x) = softmax(W[z_1 ‖ … ‖ z_M] + b), z_m the unimodal logits of modality m.

    W is fitted on out-of-fold logits: those of each third of train come from a model that was
    trained on the other two, so that they are as good as they will be on new data. Folds are drawn
    by row, without regard to groups. Then the unimodal models are trained on all of train. An
    absent modality has the logits of the prior.

    Unimodal models share no parameter, so one ``Decision`` trains all of them: four trainings.

    Args:
        task: to be done.
        strength: C of logistic regression, 1/2λ of ridge regression.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.
    """

    packed = True
    fitted: Fitted

    def __init__(
        self,
        task: Task,
        *,
        strength: Annotated[float, Range(1e-3, 1e3, log=True)] = 1.0,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        self.task, self.width, self.hidden = task, width, hidden
        self.combiner = Combiner(task, strength)

    def fit(self, train: Split, validation: Split, run: Run) -> Self:
        train, target = train.supervised()
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(run.seed))
        folds = order.to(target.device).tensor_split(FOLDS)
        unseen = []
        for i, fold in enumerate(folds):
            rest = torch.cat([*folds[:i], *folds[i + 1 :]])
            fitted = run.train(self._build, train.take(rest), validation)
            unseen.append(_unimodal(fitted, train.take(fold)))
        self.combiner.fit(torch.cat(unseen), target.index_select(0, torch.cat(folds)))
        self.fitted = run.train(self._build, train, validation)
        return self

    def predict(self, split: Split) -> Tensor:
        """(N,K) float32 probabilities, or values."""
        return self.combiner.predict(_unimodal(self.fitted, split))

    def embed(self, split: Split) -> dict[str, Tensor]:
        """{m: (N,d)}: the unimodal models' vectors."""
        return self.fitted.output(split).embeddings

    def _build(self) -> Decision:
        return Decision(self.task, rule="mean", width=self.width, hidden=self.hidden)


def _unimodal(fitted: Fitted, split: Split) -> Tensor:
    """(N,M,K) logits on the CPU."""
    return torch.stack(list(fitted.output(split.withheld()).unimodal.values()), 1)
