"""One trained model on many variants of one split, in each of which some modality is corrupted.

What does not depend on the corrupted modality is computed once (see ``calls``), after a trial on a
few rows has found that this gives what the model gives: a model that draws random numbers in
evaluation, keeps a state, or passes things around beside its calls, is computed anew every time.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from mmbench.core.arithmetic import Arithmetic
from mmbench.nn.models import FusionModel
from mmbench.nn.records import FusionOutput, Inputs, Split
from mmbench.train.calls import CallMemo, State, evaluate, parts

MEMORY = 2**30  # bytes
TRIAL_ROWS = 8
TOLERANCE = 1e-6  # relative and absolute: some kernels on GPUs add up in any order


class MemoisedModel:
    """A trained model that is asked for its output on many variants of one split.

    The outputs are those of the model alone on the same blocks of rows; on the CPU, to the bit.

    Args:
        model: trained, on its device; between the calls it is itself, in eval mode.
        base: the untouched split. A variant has the very tensors of it that it leaves untouched:
            ``variant.inputs.values[m] is base.inputs.values[m]``.
        rows: of a block, which is what the model is given at once.
        arithmetic: of the forward passes.
        memory: bytes that may be held besides the base; what they have no room for is computed anew.

    Attributes:
        why: the reason why nothing is reused; empty if results are.
    """

    def __init__(
        self,
        model: FusionModel,
        base: Split,
        rows: int,
        arithmetic: Arithmetic | None = None,
        memory: int = MEMORY,
    ) -> None:
        self.model, self.rows, self.arithmetic = model, rows, arithmetic or Arithmetic()
        self.why, unstable = _trial(model, base.inputs, self.arithmetic)
        self._memo = CallMemo(model, base.inputs, rows, self.arithmetic, memory, unstable)

    @property
    def reused(self) -> bool:
        """Whether results are reused."""
        return not self.why

    def output(self, variant: Split) -> FusionOutput:
        """The forward pass over a variant, in eval mode, on the CPU; ``losses`` are left out."""
        if self.reused:
            return self._memo.output(variant.inputs)
        return evaluate(self.model, variant.inputs, self.rows, self.arithmetic)


def _trial(model: FusionModel, inputs: Inputs, arithmetic: Arithmetic) -> tuple[str, set[nn.Module]]:
    """Whether the memo gives what the model gives, on a few rows.

    The model and the random streams are afterwards as they were.

    Returns:
        why nothing can be reused, empty if it can; and submodules whose results cannot.
    """
    with torch.inference_mode(False), torch.no_grad(), _same_streams(), _undone(model) as changed:
        rows, others, more = _rows(inputs)
        few = inputs.take(rows)
        memo = CallMemo(model, few, len(few), arithmetic)
        try:
            for variant in _variants(few, inputs.take(more)):
                memo.output(variant)
            # A model that draws has moved the streams by now, so that it would draw anew in a call
            # that the memo answers. From here on all begin at the same point.
            variants = _variants(few, inputs.take(others))
            alone = [_drawing_alike(evaluate, model, variant, len(few), arithmetic) for variant in variants]
            found = [_drawing_alike(memo.output, variant) for variant in variants]
        except Exception as error:  # a plugin's, of any kind; without the memo the model may do well
            return f"the trial failed with {type(error).__name__}: {error}", set()
        if changed():
            return "evaluation changes parameters or buffers", set()
    if not all(map(_alike, found, alone)):
        return "with results reused, the output is another", set()
    if not memo.hits:
        return "no submodule takes untouched inputs alone, or those that do are compiled", set()
    return "", memo.unstable


def _rows(inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of three times a few rows, which are others each time if there are enough."""
    rows = torch.arange(min(len(inputs), TRIAL_ROWS), device=inputs.present.device)
    step = max(len(inputs) // 3, 1)
    return rows, (rows + step) % len(inputs), (rows + 2 * step) % len(inputs)


def _variants(inputs: Inputs, others: Inputs) -> list[Inputs]:
    """In each, the values of one modality are those of other rows."""
    values = inputs.values
    return [replace(inputs, values={**values, name: others.values[name]}) for name in values]


def _drawing_alike(function: Callable[..., FusionOutput], *args: Any) -> FusionOutput:
    with _same_streams():
        return function(*args)


def _alike(one: FusionOutput, other: FusionOutput) -> bool:
    (ours, form), (theirs, same_form) = pytree.tree_flatten(one), pytree.tree_flatten(other)
    return form == same_form and all(
        x.shape == y.shape and torch.allclose(x.double(), y.double(), TOLERANCE, TOLERANCE, equal_nan=True)
        for x, y in zip(ours, theirs, strict=True)
    )


@contextmanager
def _undone(model: nn.Module) -> Iterator[Callable[[], bool]]:
    """What happens in here to the model's tensors and attributes is undone; not what happens inside
    lists and other objects that attributes refer to, where a model should keep no state.

    Yields:
        a function that tells whether parameters or buffers have changed.
    """
    state = State(model)
    copies = [seen.tensor.clone() for seen in state.tensors]
    stores = [store for part in parts(model) for store in (vars(part), part._parameters, part._buffers, part._modules)]
    before = [dict(store) for store in stores]
    try:
        yield lambda: not state.unchanged()
    finally:
        for store, content in zip(stores, before, strict=True):
            store.clear()
            store.update(content)
        for seen, copy in zip(state.tensors, copies, strict=True):
            if not seen.unchanged():
                seen.tensor.copy_(copy)


@contextmanager
def _same_streams() -> Iterator[None]:
    """The global random streams are afterwards where they were before."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng(list(devices)):
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
