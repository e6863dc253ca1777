"""Gradient blending: losses of modalities weighted by how they overfit and generalise."""

from functools import partial
from typing import Annotated, Self

import torch
from torch import Tensor

from mmbench import Fitted, Range, Run, Split, Task, prior
from mmbench_blend.networks import Apart, Blended
from mmbench_blend.weights import blend_weights, losses_on


class GradientBlending:
    """Offline gradient blending (Wang, Tran & Feiszli 2020, arXiv:1905.12681).

    First M unimodal networks and the multimodal one are trained apart (``networks.Apart``), all for the
    same epochs; how much each has learned that generalises, and how much that does not, gives the
    weights (``weights.blend_weights``). Then one network with a head a modality and a fused head is
    trained from the beginning by the weighted losses (``networks.Blended``); the fused head predicts.

    The paper's first checkpoint is the untrained network. Its loss is taken to be that of the train
    prior, the best that can be had from looking at no input: what random weights add to it would count as
    learned. The last one is the epoch at which the multimodal network was best on validation, which
    stands for the target distribution. For one modality there is nothing to blend: one training, one head.

    Args:
        task: to be done.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.

    Attributes:
        weights: (M+1,), of the modalities and of the fused head.
    """

    packed = True
    weights: Tensor
    fitted: Fitted

    def __init__(
        self,
        task: Task,
        *,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        self.task, self.width, self.hidden = task, width, hidden

    def fit(self, train: Split, validation: Split, run: Run) -> Self:
        self.weights = torch.ones(1)
        if len(self.task.modalities) > 1:
            apart = run.train(partial(Apart, self.task, self.width, self.hidden), train, validation)
            self.weights = self._measured(apart, train, validation)
        build = partial(Blended, self.task, self.weights.tolist(), self.width, self.hidden)
        self.fitted = run.train(build, train, validation)
        return self

    def predict(self, split: Split) -> Tensor:
        """(N,K) probabilities, or values."""
        return self.fitted.predict(split)

    def embed(self, split: Split) -> dict[str, Tensor]:
        """{m: (N,d)} before fusion, and "fused": (N,M*d)."""
        output = self.fitted.output(split)
        assert output.fused is not None
        return {**output.embeddings, "fused": output.fused}

    def _measured(self, apart: Fitted, train: Split, validation: Split) -> Tensor:
        """(M+1,) weights of the networks that were trained apart."""
        nothing = prior(self.task, train.supervised()[1].cpu())
        start, end = [], []
        for split in (train, validation):
            output = apart.output(split.withheld())
            assert output.prediction is not None
            blank = nothing.expand_as(output.prediction)
            start.append(losses_on(self.task, split, blank, dict.fromkeys(output.unimodal, blank)))
            end.append(losses_on(self.task, split, output.prediction, output.unimodal))
        return blend_weights(torch.stack(start), torch.stack(end))
