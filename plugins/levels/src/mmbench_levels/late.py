"""Late feature fusion: modalities meet after their encoders."""

from typing import Annotated

from mmbench import FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task


class Late(FusionModel):
    """ŷ = head([h_1 ‖ … ‖ h_M]), h_m = E_m(x_m), or a learned missing token where m is absent.

    Args:
        task: to be done.
        width: d of every h_m.
        hidden: width of the head's hidden layer; 0 makes it one linear layer of the concatenation.
    """

    def __init__(
        self,
        task: Task,
        *,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        self.encode = ModalityEncoders(task, width)
        self.head = Head(task, width * len(task.modalities), hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        fused = encoded.concat()
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)
