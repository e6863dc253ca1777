"""ResNet18 and a transformer layer: the fusion sample that primers on multimodal learning show, made to work."""

from dataclasses import replace
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from mmbench import FusionModel, FusionOutput, Inputs, Modality, ModalityEncoders, Range, Split, Task, Training
from mmbench_bitower.resnet import LARGE, WIDTH, ResNet18

CALIBRATED = 256  # images that are enough for means and variances


class ResNetTransformer(FusionModel):
    """ŷ = Linear(flatten(transformer(τ_1, …, τ_M))), τ_m = M a_m f_m + e_m, a = softmax_m(vᵀ tanh(W f_m)).

    f_m is the pooled vector of a ResNet18 with random weights that are never trained, one a modality, for images
    and spectrograms, and that of the harness's encoder, of width 512, for anything else. e_m is a learned modality
    embedding; the transformer has one layer with post-norm and ReLU. An absent modality has a_m = 0, is attended to
    by none, and its token is e_m; M is then the number of those that are there. With one modality τ_1 = f_1.

    Pretrained weights would have to be downloaded, so these are random, and no published figure applies. The
    frozen network is computed anew at every step, which is most of the cost.

    Args:
        task: to be done.
        heads: of the transformer layer.
        feedforward: width of its hidden layer.
        dropout: in it.
    """

    training_options = Training(warmup=0.1)  # without it the first steps throw a post-norm layer of this width off
    packed = True
    together = "a frozen network of 11 million weights a modality, of which every seed would hold copies"

    def __init__(
        self,
        task: Task,
        *,
        heads: Literal[1, 2, 4, 8] = 4,
        feedforward: Annotated[int, Range(64, 4096, log=True)] = 1024,
        dropout: Annotated[float, Range(0.0, 0.5)] = 0.1,
    ) -> None:
        super().__init__()
        self.names, count = task.names, len(task.modalities)
        pictures = [m for m in task.modalities if _is_picture(m)]
        others = tuple(m for m in task.modalities if not _is_picture(m))
        self.pictures = [m.name for m in pictures]
        self.resnets = nn.ModuleList(ResNet18(large=min(m.shape[-2:]) >= LARGE) for m in pictures)
        self.encode = ModalityEncoders(replace(task, modalities=others), WIDTH, absent=False) if others else None
        self.weigh = Weigh(count) if count > 1 else None
        self.transformer = nn.TransformerEncoderLayer(WIDTH, heads, feedforward, dropout, batch_first=True)
        self.head = nn.Linear(WIDTH * count, task.outputs)

    def begin(self, train: Split) -> None:
        for name, resnet in zip(self.pictures, self.resnets, strict=True):
            rows = train.inputs.here(name).nonzero()[:, 0]
            rows = rows[:: max(len(rows) // CALIBRATED, 1)][:CALIBRATED]
            if isinstance(resnet, ResNet18) and len(rows) > 1:
                images = train.take(rows).unpacked().inputs.values[name]
                resnet.calibrate(images.to(self.head.weight))  # its device and precision

    def forward(self, inputs: Inputs) -> FusionOutput:
        vectors = {} if self.encode is None else self.encode(inputs).vectors
        for name, resnet in zip(self.pictures, self.resnets, strict=True):
            vectors[name] = resnet(inputs.values[name]) * inputs.here(name)[:, None]
        vectors = {name: vectors[name] for name in self.names}
        tokens = torch.stack(list(vectors.values()), 1)
        if self.weigh is not None:
            tokens = self.weigh(tokens, inputs.present)
        fused = self.transformer(tokens, src_key_padding_mask=~inputs.present).flatten(1)
        return FusionOutput(prediction=self.head(fused), embeddings=vectors, fused=fused)


class Weigh(nn.Module):
    """τ_m = M a_m f_m + e_m, a = softmax_m(vᵀ tanh(W f_m)) over the modalities that are there, M their number.

    Args:
        count: of modalities, at least 2.

    Shapes:
        (B,M,512), (B,M) bool -> (B,M,512).
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH, bias=False)
        self.score = nn.Linear(WIDTH, 1, bias=False)
        self.embedding = nn.Parameter(0.02 * torch.randn(count, WIDTH))

    def forward(self, f: Tensor, present: Tensor) -> Tensor:
        scores = self.score(self.inner(f).tanh())[..., 0]
        share = scores.masked_fill(~present, -torch.inf).softmax(-1) * present.sum(-1, keepdim=True)
        tokens: Tensor = share[..., None] * f + self.embedding
        return tokens


def _is_picture(modality: Modality) -> bool:
    return modality.kind in ("image", "spectrogram")
