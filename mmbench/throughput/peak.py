"""The peak: the most arithmetic that a device does in a second, as matrix products and convolutions measure it."""

from collections.abc import Callable, Iterator

import torch
from torch.nn.functional import conv2d

from mmbench.core.arithmetic import Arithmetic
from mmbench.throughput.timing import Clock, DeviceClock, HostClock
from mmbench.train.arithmetic import precision

SIDES = (512, 1024, 2048, 4096, 8192, 16384)
CHANNELS = (32, 64, 128, 256, 512, 1024, 2048)
IMAGES, PIXELS, KERNEL = 64, 16, 3  # images of PIXELS x PIXELS
LONG_ENOUGH = 0.05  # seconds of an operation: larger ones are hardly more efficient
REPEATS = 5

Draw = Callable[..., torch.Tensor]
Operation = tuple[int, Callable[[], object]]  # floating-point operations, and what does them


def measured_peak(arithmetic: Arithmetic) -> float:
    """FLOP/s in the precision of the arithmetic: the best of square matrix products and of 3×3 convolutions, of
    growing size. Both, because a library may use wider vectors for one of them.

    A product of two (n,n) matrices counts as 2n³ operations, and a convolution as 2·9 a pixel and pair of channels.
    torch's flags must have been set (``set_up``).
    """
    kind = torch.bfloat16 if arithmetic.dtype == "bfloat16" else precision(arithmetic)
    clock = DeviceClock() if arithmetic.device == "cuda" else HostClock()
    source = torch.Generator(arithmetic.device).manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=source, device=arithmetic.device).to(kind)

    return max(_best(clock, _products(draw)), _best(clock, _convolutions(draw)))


@torch.inference_mode()
def _best(clock: Clock, growing: Iterator[Operation]) -> float:
    """FLOP/s of the quickest of operations, up to the first that takes long."""
    best = 0.0
    for count, operation in growing:
        clock.times(operation, 1)
        quickest = float(clock.times(operation, REPEATS).min())
        best = max(best, count / quickest)
        if quickest > LONG_ENOUGH:
            break
    return best


def _products(draw: Draw) -> Iterator[Operation]:
    for side in SIDES:
        a, b, out = draw(side, side), draw(side, side), draw(side, side)
        yield 2 * side**3, lambda a=a, b=b, out=out: torch.mm(a, b, out=out)  # type: ignore[misc]


def _convolutions(draw: Draw) -> Iterator[Operation]:
    for width in CHANNELS:
        # the layout that the trainer gives to images and to weights
        x = draw(IMAGES, width, PIXELS, PIXELS).to(memory_format=torch.channels_last)
        weight = draw(width, width, KERNEL, KERNEL).to(memory_format=torch.channels_last)
        count = 2 * IMAGES * PIXELS**2 * width**2 * KERNEL**2
        yield count, lambda x=x, weight=weight: conv2d(x, weight, padding=KERNEL // 2)  # type: ignore[misc]
