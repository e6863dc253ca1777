"""Floating-point operations of a forward pass, by torch's own formulas, and what these do not cover."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

# Words in the names of operators that do far more arithmetic than they write numbers.
HEAVY = re.compile(
    r"\w*mm|\w*mv|ger|addr|\w*dot|einsum|(bi|tri)?linear|conv(\dd|olution)?|[cp]dist"  # products, distances
    r"|matmul|rnn|attention|transformer"  # kernels of whole layers
    r"|linalg|svd|\w*qrf?|eigh?|lu|cholesky|solve|fft"  # decompositions, transforms
)
LIGHT = re.compile(r"(check|vector|diagonal|cross|powsum|vander|unpack)")  # of those, what does little


@dataclass(frozen=True)
class Flops:
    """Of one forward pass.

    Attributes:
        operators: by name, floating-point operations (a multiplication and an addition are two).
        uncounted: operators that do arithmetic worth counting, and for which torch has no formula.
    """

    operators: Mapping[str, int]
    uncounted: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(self.operators.values())


def count_flops(forward: Callable[[], object]) -> Flops:
    """The operations of one call, without gradients.

    While it runs, attention, recurrent layers and convolutions are composed of plain operators: their
    fused kernels have no formula and would count as nothing.
    """
    counter = _Counter()
    with composed(), torch.no_grad(), counter:
        forward()
    return Flops(counter.operators, tuple(sorted(counter.uncounted)))


@contextmanager
def composed() -> Iterator[None]:
    """Without fused kernels of attention, recurrent layers and convolutions; afterwards as it was."""
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(_disabled(torch.backends.mkldnn))
        stack.enter_context(_disabled(torch.backends.cudnn))
        yield


@contextmanager
def _disabled(backend: Any) -> Iterator[None]:
    """A backend's one switch; its own ``flags`` would also touch precision and determinism."""
    before = backend.enabled
    backend.enabled = False
    try:
        yield
    finally:
        backend.enabled = before


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Applies the formulas of ``torch.utils.flop_counter``, and lists operators that these leave out.

    ``FlopCounterMode`` applies them as well, but follows gradients through modules, and fails on one that
    gives a view of a parameter.

    An operator is listed if it has no formula and is heavy, or is a product broadcast to more numbers than
    each operand has (an outer product), or is no operator of torch. What is left is elementwise: some
    operations a number, which is little beside the products that made the number.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators: dict[str, int] = {}
        self.uncounted: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        operator, space = getattr(func, "_overloadpacket", func), getattr(func, "namespace", "")
        if operator not in flop_registry and space == "aten":
            with self:  # in inference mode, composed operators arrive whole
                found = func.decompose(*args, **kwargs)
            if found is not NotImplemented:
                return found
        found, name = func(*args, **kwargs), str(getattr(operator, "__name__", operator))
        if operator in flop_registry:
            flops = int(flop_registry[operator](*args, **kwargs, out_val=found))
            self.operators[name] = self.operators.get(name, 0) + flops
        elif space not in ("aten", "prim", "prims"):
            self.uncounted.add(f"{space}::{name}")
        elif name == "mul" and _is_outer(args, found):
            self.uncounted.add("mul (outer product)")
        elif is_heavy(name):
            self.uncounted.add(name)
        return found


def is_heavy(name: str) -> bool:
    """Whether an operator of torch does arithmetic worth counting, by the words of its name."""
    words = name.split("_")
    return any(map(HEAVY.fullmatch, words)) and not any(map(LIGHT.fullmatch, words))


def _is_outer(operands: Sequence[Any], found: Any) -> bool:
    sizes = [operand.numel() for operand in operands if isinstance(operand, Tensor)]
    return isinstance(found, Tensor) and len(sizes) > 1 and found.numel() > max(sizes)
