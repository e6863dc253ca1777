"""DHCNN-style fusion: encoders, a shared network, attention between modalities, a classifier."""

from typing import Annotated, Literal

import torch
from torch import nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task
from mmbench_dhcnn.level import Level


class DhcnnStyle(FusionModel):
    """ŷ = head([A^1 ‖ … ‖ A^L]), A^ℓ = LN(U^ℓ + MHA(U^ℓ)), u_m^ℓ = S^ℓ(P_m^ℓ v_m^ℓ).

    v_m^ℓ is the pooled stage ℓ of the encoder of modality m; ``Level`` says the rest. With one level it is the last
    stage, which is the literal reading of the description; several levels are a reading of the word
    "hierarchical" in the name. No paper of the name could be found, so there is no published number to reproduce.
    Near to it: Hu et al. 2018, Dense Multimodal Fusion (arXiv:1810.03414).

    Args:
        task: to be done.
        levels: L, counted from the last stage.
        heads: of the attention; where they do not divide ``width``, their own width is rounded up.
        width: d of every u_m.
        hidden: width of the head's hidden layer, 0 for none.
    """

    def __init__(
        self,
        task: Task,
        *,
        levels: Literal[1, 2] = 2,
        heads: Literal[1, 2, 4, 8] = 4,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.encode = ModalityEncoders(task, width, absent=False)  # each level has a missing token of its own
        widths = [self.encode.widths[name][-levels:] for name in task.names]
        self.levels = nn.ModuleList(Level(sizes, width, heads) for sizes in zip(*widths, strict=True))
        self.head = Head(task, levels * len(task.modalities) * width, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        stages = self.encode(inputs).stages
        by_level = zip(*(stages[name][-len(self.levels) :] for name in stages), strict=True)
        tokens, attended = [], []
        for level, here in zip(self.levels, by_level, strict=True):
            assert isinstance(level, Level)
            u = level.embed(here, inputs.present)
            tokens.append(u)
            attended.append(level(u, inputs.present).flatten(1))
        fused = torch.cat(attended, 1)
        together = torch.cat(tokens, 2)
        embeddings = {name: together[:, i] for i, name in enumerate(stages)}
        return FusionOutput(prediction=self.head(fused), embeddings=embeddings, fused=fused)
