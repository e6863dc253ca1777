"""Results of a model's submodules, kept where they are the same in many variants of one split.

What a submodule makes of untouched inputs is the same in every variant. This asks nothing of a
method: while the model is evaluated, its submodules' ``forward`` is replaced, and a call with
nothing but known tensors is answered from the memo. Known are the rows of inputs that a variant
shares with the split, and what is in the memo; besides, a call may have plain constants, and
integer or boolean tensors (masks, positions) that are the same, entry by entry, as before.

Whatever may differ is computed again: where tensors were changed in place, where parameters or
buffers are not those of the start, in compiled modules, and where the memory has no room.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import is_
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from mmbench.core.arithmetic import Arithmetic
from mmbench.nn.models import FusionModel
from mmbench.nn.records import FusionOutput, Inputs
from mmbench.train.arithmetic import autocast

PLAIN = (type(None), bool, int, float, str)


def evaluate(model: FusionModel, inputs: Inputs, rows: int, arithmetic: Arithmetic) -> FusionOutput:
    """The output of the model alone, in eval mode, on the CPU; ``rows`` at a time."""
    device = _device(model)
    blocks = (_each(partial(_copied, block=block, device=device), inputs) for block in _blocks(inputs, rows))
    return forward_blocks(model, blocks, arithmetic)


def forward_blocks(model: FusionModel, blocks: Iterable[Inputs], arithmetic: Arithmetic) -> FusionOutput:
    """The outputs on some blocks, joined, on the CPU; ``losses`` are left out."""
    model.eval()
    parts = []
    with torch.inference_mode(False), torch.no_grad():  # inference mode's tensors do not count their changes
        for block in blocks:
            with autocast(arithmetic):
                part: FusionOutput = model(block)
            parts.append(pytree.tree_map(_returned, replace(part, losses={})))
        joined: FusionOutput = pytree.tree_map(lambda *x: torch.cat(x), *parts)
    return joined


def _returned(x: Tensor) -> Tensor:
    """On the CPU; what autocast has left in half precision, in float32."""
    return x.cpu().float() if x.dtype == torch.bfloat16 else x.cpu()


def _device(model: FusionModel) -> torch.device:
    return next(model.parameters()).device


def _blocks(inputs: Inputs, rows: int) -> list[slice]:
    """Consecutive rows."""
    return [slice(start, start + rows) for start in range(0, len(inputs), rows)]


def _each(function: Callable[[Tensor], Tensor], inputs: Inputs) -> Inputs:
    """``pytree.tree_map``, at a fifth of its cost."""
    values, lengths, times = (
        {name: function(x) for name, x in columns.items()} for columns in (inputs.values, inputs.lengths, inputs.times)
    )
    return Inputs(values, function(inputs.present), lengths, times)


def _copied(x: Tensor, block: slice, device: torch.device) -> Tensor:
    """A block's rows, which the model may change."""
    return x[block].clone() if x.device == device else x[block].to(device)


class Seen(NamedTuple):
    """A tensor at a version: torch counts the changes in place of a tensor and its views.

    The tensor is held, so that no other one gets its id.
    """

    tensor: Tensor
    version: int

    @classmethod
    def now(cls, tensor: Tensor) -> "Seen":
        return cls(tensor, -1 if tensor.is_inference() else tensor._version)  # of inference mode: not counted

    def unchanged(self) -> bool:
        return self.version < 0 or self.tensor._version == self.version


def parts(module: nn.Module) -> list[nn.Module]:
    """The module and those inside it, without scripted ones, whose state is not in dicts."""
    return [part for part in module.modules() if not isinstance(part, torch.jit.ScriptModule)]


class State:
    """The parameters and buffers of a module and those inside it.

    Attributes:
        tensors: as they are now, and held.
    """

    def __init__(self, module: nn.Module) -> None:
        self._stores = [store for part in parts(module) for store in (part._parameters, part._buffers) if store]
        self._found = self._present()
        self.tensors = [Seen.now(x) for x in self._found if x is not None]

    def same(self) -> bool:
        """Whether none has been replaced by another tensor."""
        return all(map(is_, self._present(), self._found))

    def unchanged(self) -> bool:
        """Whether they are the same, and none has been changed in place."""
        return self.same() and all(seen.unchanged() for seen in self.tensors)

    def _present(self) -> list[Tensor | None]:
        return [x for store in self._stores for x in store.values()]


def _compiled(module: nn.Module) -> bool:
    """Whether a module is compiled, or somebody else has replaced its ``forward``."""
    scripted = isinstance(module, torch.jit.ScriptModule)
    return scripted or module._compiled_call_impl is not None or "forward" in vars(module)


def _submodules(module: nn.Module) -> Iterator[nn.Module]:
    """Those inside a module; what is inside a compiled one is not called by itself."""
    if not _compiled(module):
        for child in module.children():
            yield child
            yield from _submodules(child)


class _Asked(NamedTuple):
    """The arguments of a call: their key, and tensors to be compared by their entries."""

    key: Hashable
    integers: list[Tensor]


@dataclass(frozen=True)
class _Result:
    """What a call gave: its tensors and constants, their arrangement; and the ``integers`` it was given."""

    leaves: list[Seen | Any]
    form: pytree.TreeSpec
    integers: list[Seen]

    def unchanged(self) -> bool:
        return all(leaf.unchanged() for leaf in self.leaves if isinstance(leaf, Seen))

    def fits(self, asked: _Asked) -> bool:
        pairs = zip(self.integers, asked.integers, strict=True)
        return all(seen.unchanged() and torch.equal(seen.tensor, x) for seen, x in pairs)

    def value(self) -> Any:
        """The tensors, in lists and dicts of the caller's own."""
        return pytree.tree_unflatten([x.tensor if isinstance(x, Seen) else x for x in self.leaves], self.form)


class _UnknownError(Exception):
    """An argument that need not be the same in every variant."""


class CallMemo:
    """Results of submodules for calls with known tensors.

    Args:
        model, base, rows, arithmetic, memory: as in ``MemoisedModel``.
        unstable: submodules whose results are not kept.

    Attributes:
        hits: calls that were answered from the memo.
    """

    def __init__(
        self,
        model: FusionModel,
        base: Inputs,
        rows: int,
        arithmetic: Arithmetic,
        memory: float = math.inf,
        unstable: Iterable[nn.Module] = (),
    ) -> None:
        self.model, self.rows, self.arithmetic, self.room = model, rows, arithmetic, memory
        self.unstable = set(unstable)
        self.hits = 0
        self._base = {id(x): Seen.now(x) for x in pytree.tree_leaves(base) if isinstance(x, Tensor)}
        self._held: dict[tuple[int, int], Tensor] = {}  # rows of the base, by their tensor's id and the first row
        self._known: dict[int, Seen] = {}
        self._results: dict[Hashable, _Result] = {}
        self._inside = False  # a call whose result will be kept: those inside it need not be
        self._state = State(model)
        self._states = {module: State(module) for module in _submodules(model)}

    def output(self, inputs: Inputs) -> FusionOutput:
        """The model's output on a variant."""
        if not self._state.unchanged():
            return evaluate(self.model, inputs, self.rows, self.arithmetic)
        with self._replaced():
            return forward_blocks(self.model, self._slices(inputs), self.arithmetic)

    @contextmanager
    def _replaced(self) -> Iterator[None]:
        """In here every submodule's ``forward`` is ``_call``."""
        # Made anew each time: a memo in a cycle of references would be freed late.
        calls = {
            module: partial(self._call, module, module.forward) for module in self._states if not _compiled(module)
        }
        try:
            for module, call in calls.items():
                vars(module)["forward"] = call  # past `__setattr__`, which is slow
            yield
        finally:
            for module in calls:
                vars(module).pop("forward", None)

    def _slices(self, inputs: Inputs) -> Iterator[Inputs]:
        """The blocks of a variant, with held tensors where it is untouched."""
        device = _device(self.model)
        for block in _blocks(inputs, self.rows):
            yield _each(partial(self._slice, block=block, device=device), inputs)

    def _slice(self, x: Tensor, block: slice, device: torch.device) -> Tensor:
        base, key = self._base.get(id(x)), (id(x), block.start)
        shared = base is not None and base.unchanged()
        if shared and key in self._held and self._is_known(self._held[key]):
            return self._held[key]
        rows = _copied(x, block, device)
        if shared and key not in self._held and self._hold([rows]):
            self._held[key] = rows
        return rows

    def _hold(self, known: list[Tensor], besides: Sequence[Tensor] = ()) -> bool:
        """Whether there is room for these tensors; if so, the first of them are known from now on."""
        storages = [x.untyped_storage() for x in (*known, *besides)]
        size = sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
        if size > self.room:
            return False
        self.room -= size
        for x in known:
            self._known.setdefault(id(x), Seen.now(x))
        return True

    def _is_known(self, x: Tensor) -> bool:
        seen = self._known.get(id(x))
        return seen is not None and seen.unchanged()

    def _call(self, module: nn.Module, forward: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """In place of a submodule's ``forward``."""
        if torch.compiler.is_compiling() or self._inside or module in self.unstable:
            return forward(*args, **kwargs)
        if args and isinstance(args[0], Tensor) and id(args[0]) not in self._known and args[0].is_floating_point():
            return forward(*args, **kwargs)  # as below, only sooner: most calls are such
        asked = self._asked(module, args, kwargs)
        if asked is None or not self._states[module].same():  # but those of a `functional_call`
            return forward(*args, **kwargs)
        result = self._results.get(asked.key)
        if result is None:
            self._inside = True
            try:
                value = forward(*args, **kwargs)
            finally:
                self._inside = False
            if not self._keep(asked, value):
                self.unstable.add(module)
            return value
        if not result.unchanged():
            self.unstable.add(module)
        elif result.fits(asked):
            self.hits += 1
            return result.value()
        return forward(*args, **kwargs)

    def _asked(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Asked | None:
        """What a call has for arguments, None if any of them may differ in another variant."""
        known: list[Tensor] = []
        integers: list[Tensor] = []
        try:
            key = module, self._key((args, kwargs), known, integers)
        except _UnknownError:
            return None
        return _Asked(key, integers) if known else None

    def _key(self, x: object, known: list[Tensor], integers: list[Tensor]) -> Hashable:
        """Of an argument, whose tensors are added to the two lists.

        Raises:
            _UnknownError: if it has anything that is not known.
        """
        if isinstance(x, Tensor):
            if self._is_known(x):
                known.append(x)
                return id(x)
            if x.is_floating_point() or x.is_complex():
                raise _UnknownError
            integers.append(x)
            return x.dtype, x.shape
        if isinstance(x, PLAIN):
            return type(x), x
        if isinstance(x, tuple | list):
            return type(x), *(self._key(part, known, integers) for part in x)
        if type(x) is dict:
            return dict, *x, *(self._key(part, known, integers) for part in x.values())
        raise _UnknownError

    def _keep(self, asked: _Asked, value: Any) -> bool:
        """Keep what a call gave, if there is room. Whether it is of a kind that can be kept."""
        leaves, form = pytree.tree_flatten(value)
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        if not all(isinstance(leaf, (Tensor, *PLAIN)) for leaf in leaves):
            return False
        if any(x.grad_fn is not None or x.is_inference() for x in tensors):
            return False  # part of a graph, or changed without notice
        if self._hold(tensors, asked.integers):
            seen = [Seen.now(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
            self._results[asked.key] = _Result(seen, form, [Seen.now(x) for x in asked.integers])
        return True
