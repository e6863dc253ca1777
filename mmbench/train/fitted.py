"""A trained model: predictions, embeddings and generated modalities over whole splits."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from mmbench.core.task import Task
from mmbench.nn.functional import probabilities
from mmbench.nn.models import FusionModel
from mmbench.nn.records import FusionOutput, Inputs, Split
from mmbench.train.loop import ROWS_AT_ONCE, History


class FittedModel:
    """A fusion model after training.

    Args:
        model: trained, on its device.
        task: that it does.
        history: of its training.
    """

    def __init__(self, model: FusionModel, task: Task, history: History) -> None:
        self.model, self.task, self.history = model, task, history

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
        device = split.inputs.present.device
        parts = []
        for start in range(0, len(split), ROWS_AT_ONCE):
            index = torch.arange(start, min(start + ROWS_AT_ONCE, len(split)), device=device)
            part: FusionOutput = self.model(split.inputs.take(index))
            parts.append(pytree.tree_map(lambda x: x.cpu(), replace(part, losses={})))
        joined: FusionOutput = pytree.tree_map(lambda *x: torch.cat(x), *parts)
        return joined
