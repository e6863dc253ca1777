"""One head a modality."""

import torch
from torch import Tensor, nn

from mmbench import Batch, Criterion, Head, Inputs, Split, Task, prior


class UnimodalHeads(nn.Module):
    """{m: head_m(h_m)}; where modality m is absent, the logits of the train prior, p(y|nothing) = p(y).

    Args:
        task: to be done.
        width: d of the vectors.
        hidden: width of each head's hidden layer, 0 for none.

    Shapes:
        {m: (B,d)} -> {m: (B,K)} logits.
    """

    prior: Tensor

    def __init__(self, task: Task, width: int, hidden: int) -> None:
        super().__init__()
        self.task = task
        self.heads = nn.ModuleList(Head(task, width, hidden) for _ in task.modalities)
        self.register_buffer("prior", torch.zeros(task.outputs))

    def begin(self, train: Split) -> None:
        self.prior.copy_(prior(self.task, train.supervised()[1]))

    def forward(self, vectors: dict[str, Tensor], inputs: Inputs) -> dict[str, Tensor]:
        return {
            name: torch.where(inputs.here(name)[:, None], head(vectors[name]), self.prior)
            for name, head in zip(self.task.names, self.heads, strict=True)
        }


def losses_of(prediction: Tensor, unimodal: dict[str, Tensor], batch: Batch, criterion: Criterion) -> Tensor:
    """(M+1,): the criterion of each unimodal prediction, over the rows that have modality m, and of the fused one."""
    alone = [criterion(logits, batch, batch.inputs.here(name).to(logits.dtype)) for name, logits in unimodal.items()]
    return torch.stack([*alone, criterion(prediction, batch)])
