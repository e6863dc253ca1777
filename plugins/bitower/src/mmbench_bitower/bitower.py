"""Bi-tower: which modality leads is decided by unimodal fits, which also give the encoders their start."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Self

from torch import Tensor

from mmbench import Fitted, ModalityEncoders, Range, Run, Split, Stage, Task, Training
from mmbench_bitower.alone import Alone
from mmbench_bitower.gate import Inference
from mmbench_bitower.towers import Rest, TwoTowers

EPOCHS = 100  # of the two towers, at most


class BiTower:
    """Trains each modality alone, then ``TwoTowers`` led by the one with the best score on validation.

    M + 1 trainings. The encoders of the last one start as they were in the unimodal fits, and stay so for its first
    epochs; then everything is trained at a smaller rate.

    Args:
        task: to be done.
        top: modalities that a sample keeps, the most confident; M or more keep all.
        inference: of the gate: by enumeration, or in 10 steps of mean field.
        rest: how tower 2 joins its modalities: their mean, or a linear map of their concatenation.
        frozen: epochs, of the two towers' 100, in which the encoders stay as they are.
        finetune: factor on the learning rate in the others.
        width: d of the encoders.
        hidden: width of each head's hidden layer, 0 for none.
    """

    packed = True
    fitted: Fitted
    lead: str

    def __init__(
        self,
        task: Task,
        *,
        top: Annotated[int, Range(1, 10)] = 1,
        inference: Inference = "exact",
        rest: Rest = "mean",
        frozen: Annotated[int, Range(0, 50)] = 10,
        finetune: Annotated[float, Range(0.01, 1.0, log=True)] = 0.1,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        self.task, self.top, self.inference, self.rest = task, top, inference, rest
        self.frozen, self.finetune = frozen, finetune
        self.width, self.hidden = width, hidden

    def fit(self, train: Split, validation: Split, run: Run) -> Self:
        fits = {
            name: run.train(partial(Alone, self.task, name, self.width, self.hidden), train, validation)
            for name in self.task.names
        }
        judged, _ = validation.supervised()
        scores = {name: run.score(fitted, judged) for name, fitted in fits.items()} if len(fits) > 1 else {}
        self.lead = max(scores, key=lambda name: scores[name], default=self.task.names[0])
        start = [_encoder(fitted) for fitted in fits.values()]
        self.fitted = run.train(partial(self._build, start), train, validation, self._training())
        return self

    def predict(self, split: Split) -> Tensor:
        """(N,K) probabilities or values, on the CPU."""
        return self.fitted.predict(split)

    def embed(self, split: Split) -> dict[str, Tensor]:
        """{m: (N,d)} before fusion, and "fused": (N,d)."""
        output = self.fitted.output(split)
        assert output.fused is not None
        return {**output.embeddings, "fused": output.fused}

    def _training(self) -> Training:
        stages = (Stage(EPOCHS - self.frozen, lr=self.finetune),)
        return Training(stages=(Stage(self.frozen, freeze=("encode",)), *stages) if self.frozen else stages)

    def _build(self, start: Sequence[Mapping[str, Tensor]]) -> TwoTowers:
        model = TwoTowers(
            self.task,
            self.lead,
            top=self.top,
            inference=self.inference,
            rest=self.rest,
            width=self.width,
            hidden=self.hidden,
        )
        for encoder, state in zip(model.encode.each(), start, strict=True):
            encoder.load_state_dict(state)
        return model


def _encoder(fitted: Fitted) -> Mapping[str, Tensor]:
    """The weights of a unimodal fit's encoder."""
    encode = fitted.model.encode
    assert isinstance(encode, ModalityEncoders)
    return encode.each()[0].state_dict()
