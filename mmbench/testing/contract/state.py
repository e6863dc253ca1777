"""All that a model knows stands in its parameters and buffers."""

import importlib.util
import io
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from mmbench.testing.contract.check import require
from mmbench.testing.contract.data import FEW, draw
from mmbench.testing.contract.subject import Subject, answers


@torch.no_grad()
def registered(subject: Subject) -> None:
    """Every tensor that the forward pass uses is an input, a registered parameter or buffer, or made from
    these: none in a plain list or attribute, which no optimiser, device or checkpoint would know of."""
    for mix in subject.mixes(FEW):
        case = subject.case(mix)
        known = [*case.model.parameters(), *case.model.buffers(), *pytree.tree_leaves(case.split.inputs)]
        with Watch(known) as watch:
            case.model(case.split.inputs)
        names = {id(x): name for name, x in _plain_tensors(case.model)}
        memory = {_memory(x) for x in known}  # p.data is another tensor on the memory of p
        for x, operation in watch.strangers:
            if _memory(x) in memory:
                continue
            if x.numel() > 1 or id(x) in names:  # a bare number is made by torch for x * 2.0 and the like
                _refuse(x, operation, names.get(id(x), ""), case.where)


def _memory(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


def _refuse(x: Tensor, operation: str, name: str, where: str) -> None:
    """The error for a tensor that is not registered."""
    known_as = f"{name!r}" if name else "in no attribute"
    require(
        False,
        f"{operation} uses a tensor of shape {tuple(x.shape)} ({known_as}) that is no parameter, no buffer and no "
        f"input {where}: use nn.Parameter, nn.ParameterList or register_buffer",
    )


def round_trip(subject: Subject) -> None:
    """A state_dict, saved and loaded into a model that was built and begun with other draws, gives the same
    output to the last digit."""
    for mix in subject.mixes(FEW[1:]):
        case = subject.case(mix)
        saved = through_file(case.model.state_dict())
        other = subject.model(case.task, draw(subject.card, case.task, 24, 9), seed=1)
        missing, unexpected = other.load_state_dict(saved, strict=False)
        require(
            not (missing or unexpected),
            f"another model of the same task has other names in its state_dict {case.where}: {[*missing, *unexpected]}",
        )
        with torch.no_grad():
            field = case.unlike(case.output, answers(other(case.split.inputs)))
        require(
            not field,
            f"output.{field} is another after its state_dict was loaded into a fresh model {case.where}: "
            "something that matters is not in it (a plain tensor, a number computed in begin, a draw in __init__)",
        )


def through_file(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a file gives back of a state: safetensors where it is installed, else torch's own without pickles."""
    if importlib.util.find_spec("safetensors"):
        from safetensors.torch import load, save  # type: ignore[import-not-found, unused-ignore]

        loaded: dict[str, Tensor] = load(save({name: x.contiguous().clone() for name, x in state.items()}))
        return loaded
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    found: dict[str, Tensor] = torch.load(file, weights_only=True)
    return found


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the tensors that operations use although nobody has made them.

    Args:
        known: tensors that may be used.

    Attributes:
        strangers: the others, each with the operation that used it first.
    """

    def __init__(self, known: Iterable[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known = {id(x): x for x in known}  # they are held, so that no other tensor gets their id
        self.strangers: list[tuple[Tensor, str]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = str(func).removeprefix("aten.").split(".")[0]
        for x in pytree.tree_leaves((args, kwargs)):
            if isinstance(x, Tensor) and id(x) not in self.known:
                self.known[id(x)] = x
                if name != "lift_fresh":  # a literal, as in torch.tensor(0.5)
                    self.strangers.append((x, name))
        out = func(*args, **kwargs)
        self.known.update({id(x): x for x in pytree.tree_leaves(out)})
        return out


def _plain_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Tensors in ordinary attributes of modules, and in lists and dicts there."""
    for prefix, module in model.named_modules():
        for name, value in vars(module).items():
            if name in ("_parameters", "_buffers", "_modules"):
                continue
            for path, leaf in pytree.tree_flatten_with_path(value)[0]:
                if isinstance(leaf, Tensor):
                    yield f"{prefix}.{name}{pytree.keystr(path)}".lstrip("."), leaf
