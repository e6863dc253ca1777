"""Temporal attention: which modality to listen to is decided anew at each step."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmbench import Encoded, FusionModel, FusionOutput, Head, Inputs, ModalityEncoders, Range, Task
from mmbench_bitower.clock import Resample, steps_of


class TemporalAttention(FusionModel):
    """s_t = GRU(Σ_m α_tm x_tm, s_{t−1}), α_t = softmax_m(vᵀ tanh(W x_tm + U s_{t−1} + b)), ŷ = head(mean_t s_t).

    Sequences are brought to one clock: x_tm is the mean of the tokens of modality m that real time
    step t overlaps (evenly sampled at ``rate``; timestamps are not read). Anything else is the same at
    every step; where there is no sequence, the GRU looks max(2, M) times. The softmax runs over the modalities that
    are there at step t; steps without any do not count. With one modality there is nothing to weigh.

    Args:
        task: to be done.
        steps: at most so many; longer sequences are averaged over longer steps.
        width: d.
        hidden: width of the head's hidden layer, 0 for none.
    """

    def __init__(
        self,
        task: Task,
        *,
        steps: Annotated[int, Range(4, 256, log=True)] = 32,
        width: Annotated[int, Range(8, 512, log=True)] = 64,
        hidden: Annotated[int, Range(0, 512)] = 64,
    ) -> None:
        super().__init__()
        count = len(task.modalities)
        sequences = [m for m in task.modalities if m.kind == "sequence"]
        self.steps = steps_of(sequences, steps) if sequences else max(2, count)
        duration = max((m.shape[0] / m.rate for m in sequences), default=0.0)
        self.encode = ModalityEncoders(task, width, absent=False)
        self.resample = nn.ModuleList(Resample(m, duration, self.steps) for m in sequences)
        self.sequences = [m.name for m in sequences]
        self.listen = Listen(width) if count > 1 else None
        self.cell = Cell(width, width)
        self.head = Head(task, width, hidden)

    def forward(self, inputs: Inputs) -> FusionOutput:
        encoded = self.encode(inputs)
        x, here = self._steps(encoded, inputs)
        fused = self._run(x, here)
        return FusionOutput(prediction=self.head(fused), embeddings=encoded.vectors, fused=fused)

    def _steps(self, encoded: Encoded, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """(B,S,M,d) and (B,S,M) bool: all modalities on one clock."""
        resample = dict(zip(self.sequences, self.resample, strict=True))
        values, here = [], []
        for name, vector in encoded.vectors.items():
            if name in resample:
                value, there = resample[name](encoded.tokens[name], encoded.masks[name])
            else:
                value = vector[:, None].expand(-1, self.steps, -1)
                there = inputs.here(name)[:, None].expand(-1, self.steps)
            values.append(value)
            here.append(there)
        return torch.stack(values, 2), torch.stack(here, 2)

    def _run(self, x: Tensor, here: Tensor) -> Tensor:
        """(B,S,M,d), (B,S,M) bool -> (B,d): the mean of the states over steps that have something."""
        live = here.any(-1, keepdim=True)
        projected = self.listen.token(x) if self.listen is not None else x
        state = x.new_zeros(len(x), x.shape[-1])
        total = state
        for t in range(self.steps):
            mixed = x[:, t, 0]
            if self.listen is not None:
                alpha = self.listen(projected[:, t], state, here[:, t])
                mixed = (alpha[..., None] * x[:, t]).sum(1)
            state = torch.where(live[:, t], self.cell(mixed, state), state)
            total = total + state * live[:, t]
        return total / live.sum(1).clamp(min=1)


class Cell(nn.GRUCell):
    """A GRU (Cho et al. 2014, arXiv:1406.1078) as torch defines it, of operations that ``vmap`` maps over seeds:
    torch's own kernel it takes one seed at a time.

    Shapes:
        (B,d), (B,d) -> (B,d).
    """

    def forward(self, x: Tensor, state: Tensor | None = None) -> Tensor:
        state = torch.zeros_like(x) if state is None else state
        given = F.linear(x, self.weight_ih, self.bias_ih).chunk(3, -1)
        kept = F.linear(state, self.weight_hh, self.bias_hh).chunk(3, -1)
        reset, update = (given[0] + kept[0]).sigmoid(), (given[1] + kept[1]).sigmoid()
        new = (given[2] + reset * kept[2]).tanh()
        return torch.lerp(new, state, update)


class Listen(nn.Module):
    """α = softmax_m(vᵀ tanh(W x_m + b + U s)) over the modalities that are there; the same W for all of them.

    Args:
        width: d.

    Shapes:
        (B,M,d) W x + b (from ``token``), (B,d), (B,M) bool -> (B,M); uniform where nothing is there.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token = nn.Linear(width, width)
        self.state = nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, projected: Tensor, state: Tensor, here: Tensor) -> Tensor:
        scores = self.score((projected + self.state(state)[:, None]).tanh())[..., 0]
        allowed = here | ~here.any(-1, keepdim=True)
        alpha: Tensor = scores.masked_fill(~allowed, -torch.inf).softmax(-1)
        return alpha
