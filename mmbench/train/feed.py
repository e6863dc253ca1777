"""The feed: batches of a split on the device of the training.

A split that lies there is selected from directly. One that is too large for it stays on the host (its
tensors may be maps of files far larger than memory), and a thread fetches the next batch while the
present one is computed. Packed modalities become floats here, a batch at a time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from mmbench.nn.records import Split

Fetched = tuple[Split, Tensor]


class Feed:
    """Batches of a split.

    Args:
        split: on the device, or on the host.
        device: of the training; that of the split if it is not given.
    """

    def __init__(self, split: Split, device: torch.device | None = None) -> None:
        self.split = split
        self.home = split.inputs.present.device
        self.device = device or self.home

    def __len__(self) -> int:
        return len(self.split)

    def batches(self, orders: Tensor, rows: int, steps: int) -> Iterator[Fetched]:
        """``steps`` batches of ``rows`` rows for each order.

        Args:
            orders: (A,N) long: for each of A seeds, the rows of the split.

        Yields:
            A split of A*rows rows, one seed's after the other's, and their index (A,rows), both on the
            device.
        """
        orders = orders.to(self.home)

        def select(step: int) -> Fetched:
            index = orders[:, step * rows : (step + 1) * rows]
            return self.split.take(index.reshape(-1)), index

        return self._sent([partial(select, step) for step in range(steps)])

    def blocks(self, rows: int) -> Iterator[Fetched]:
        """All rows in their order, ``rows`` at a time, with their index (B,)."""
        every = torch.arange(len(self), device=self.home)

        def select(start: int) -> Fetched:
            part = slice(start, start + rows)
            return self.split.part(part), every[part]

        return self._sent([partial(select, start) for start in range(0, len(self), rows)])

    def first(self, rows: int) -> Split:
        """The first rows."""
        return next(self.blocks(rows))[0]

    def _sent(self, selections: list[Callable[[], Fetched]]) -> Iterator[Fetched]:
        if self.home == self.device:
            for select in selections:
                rows, index = select()
                yield rows.unpacked(), index
            return
        if not selections:
            return
        with ThreadPoolExecutor(1) as thread:  # one batch ahead
            coming = [thread.submit(self._send, select) for select in selections[:1]]
            for following in [*selections[1:], None]:
                present = coming.pop()
                if following is not None:
                    coming.append(thread.submit(self._send, following))
                rows, index = present.result()
                yield rows.unpacked(), index

    def _send(self, select: Callable[[], Fetched]) -> Fetched:
        pinned = self.device.type == "cuda"  # so that the copy runs beside the computation

        def send(x: Tensor) -> Tensor:
            return (x.pin_memory() if pinned else x).to(self.device, non_blocking=pinned)

        sent: Fetched = pytree.tree_map(send, select())  # bytes travel as bytes
        return sent
