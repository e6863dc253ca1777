"""What all methods here share: encoders, a fuser, a head."""

from typing import Annotated

from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task

Width = Annotated[int, Range(8, 512, log=True)]
Hidden = Annotated[int, Range(0, 512)]


class Fuser(nn.Module):
    """One vector from the M vectors of a sample.

    Attributes:
        slots: whether an absent modality's place is read, so that a learned missing token has to stand
            there; otherwise it is zero, and masked.

    Shapes:
        h (B,M,d), present (B,M) bool -> (B,d).
    """

    slots: bool = False

    def forward(self, h: Tensor, present: Tensor) -> Tensor:
        raise NotImplementedError


class Fused(FusionModel):
    """ŷ = head(fuser(h_1, …, h_M)), h_m = E_m(x_m).

    Args:
        task: to be done.
        fuser: of M vectors.
        width: d of every h_m and of the fused vector.
        hidden: width of the head's hidden layer, 0 for none.
    """

    def __init__(self, task: Task, fuser: Fuser, width: int, hidden: int) -> None:
        super().__init__()
        self.encode = ModalityEncoders(task, width, absent=fuser.slots)
        self.fuse = fuser
        self.head = Head(task, width, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        fused = self.fuse(encoded.stack(), inputs.present)
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)
