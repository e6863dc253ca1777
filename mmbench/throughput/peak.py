"""The peak: the most arithmetic that a device does in a second, as a matrix product measures it."""

import torch

from mmbench.core.arithmetic import Arithmetic
from mmbench.throughput.timing import DeviceClock, HostClock
from mmbench.train.arithmetic import precision

SIDES = (512, 1024, 2048, 4096, 8192, 16384)
LONG_ENOUGH = 0.05  # seconds of a product: larger ones are hardly more efficient
REPEATS = 5


def measured_peak(arithmetic: Arithmetic) -> float:
    """FLOP/s of square matrix products in the precision of the arithmetic: the best of several, of growing sides.

    A product of two (n,n) matrices counts as 2n³ operations. torch's flags must have been set (``set_up``).
    """
    kind = torch.bfloat16 if arithmetic.dtype == "bfloat16" else precision(arithmetic)
    clock = DeviceClock() if arithmetic.device == "cuda" else HostClock()
    source = torch.Generator(arithmetic.device).manual_seed(0)
    best = 0.0
    for side in SIDES:
        a, b = torch.randn(2, side, side, generator=source, device=arithmetic.device).to(kind)
        out = torch.empty_like(a)

        def product(a: torch.Tensor = a, b: torch.Tensor = b, out: torch.Tensor = out) -> torch.Tensor:
            return torch.mm(a, b, out=out)

        clock.times(product, 1)
        quickest = float(clock.times(product, REPEATS).min())
        best = max(best, 2 * side**3 / quickest)
        if quickest > LONG_ENOUGH:
            break
    return best
