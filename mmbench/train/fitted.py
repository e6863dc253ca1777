"""A trained model: predictions, embeddings and generated modalities over whole splits."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from mmbench.core.arithmetic import Arithmetic
from mmbench.core.task import Task
from mmbench.nn.functional import probabilities
from mmbench.nn.models import FusionModel
from mmbench.nn.records import FusionOutput, Inputs, Split
from mmbench.train.arithmetic import autocast
from mmbench.train.blocks import PROBED, rows_at_once
from mmbench.train.feed import Feed
from mmbench.train.loop import History


class FittedModel:
    """A fusion model after training.

    Args:
        model: trained, on its device.
        task: that it does.
        history: of its training.
        arithmetic: of its forward passes.
    """

    def __init__(self, model: FusionModel, task: Task, history: History, arithmetic: Arithmetic | None = None) -> None:
        self.model, self.task, self.history = model, task, history
        self.arithmetic = arithmetic or Arithmetic()

    def predict(self, split: Split) -> Tensor:
        """(N,K) probabilities, or values in regression, on the CPU."""
        prediction = self.output(split).prediction
        if prediction is None:
            raise TypeError(f"{type(self.model).__name__} gives no prediction")
        return probabilities(self.task, prediction)

    def embed(self, split: Split) -> dict[str, Tensor]:
        """{m: (N,d_m)} before fusion, and "fused": (N,d), of what the model gives."""
        output = self.output(split)
        fused = {} if output.fused is None else {"fused": output.fused}
        return {**output.embeddings, **fused}

    def generate(self, split: Split, modality: str) -> Inputs:
        """The one modality as the model makes it from the others, marked present everywhere.

        Raises:
            TypeError: if the model does not generate it.
        """
        generated = self.output(split).generated
        if modality not in generated:
            raise TypeError(f"{type(self.model).__name__} does not generate {modality!r}")
        present = torch.ones(len(split), 1, dtype=torch.bool)
        lengths = {name: length for name, length in split.inputs.lengths.items() if name == modality}
        return Inputs({modality: generated[modality]}, present, lengths)

    @torch.no_grad()  # inference mode's tensors could not become another model's buffers
    def output(self, split: Split) -> FusionOutput:
        """The forward pass over a whole split, in eval mode, on the CPU; ``losses`` are left out."""
        self.model.eval()
        feed = Feed(split, next(self.model.parameters()).device)
        parts = []
        for block, _ in feed.blocks(rows_at_once(self.model, feed.first(PROBED))):
            with autocast(self.arithmetic):
                part: FusionOutput = self.model(block.inputs)
            parts.append(pytree.tree_map(_kept, replace(part, losses={})))
        joined: FusionOutput = pytree.tree_map(lambda *x: torch.cat(x), *parts)
        return joined


def _kept(x: Tensor) -> Tensor:
    """On the CPU; what autocast has left in half precision, in float32."""
    return x.cpu().float() if x.dtype == torch.bfloat16 else x.cpu()
