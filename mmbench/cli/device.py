"""``--device`` and ``--dtype``, as the verbs that compute share them."""

import click

from mmbench.core.arithmetic import DEVICES, Device
from mmbench.core.errors import MmbenchError

AUTO = "auto"
device_option = click.option(
    "--device",
    type=click.Choice([*DEVICES, AUTO]),
    default="cpu",
    show_default=True,
    help=f"{AUTO}: cuda where there is one that may be used, else cpu.",
)


def choose_device(wanted: str, dtype: str) -> tuple[Device, tuple[str, ...]]:
    """The device, and the CUDA devices that may be used.

    Raises:
        MmbenchError: if there is none and one is asked for, or if it does not have the arithmetic.
    """
    from mmbench.sweep.devices import allowed_devices

    device: Device = "cpu"
    devices: tuple[str, ...] = ()
    if wanted != "cpu":
        try:
            device, devices = "cuda", allowed_devices()
        except MmbenchError:
            if wanted != AUTO:
                raise
            device = "cpu"
    if dtype == "tf32" and device != "cuda":
        raise MmbenchError("--dtype tf32 needs --device cuda: a CPU has no such numbers")
    return device, devices


def usual_mode(device: str) -> str:
    """How seeds are trained where nothing is said: on a CPU seeds at once gain little or lose (docs/speed.md)."""
    return "auto" if device == "cuda" else "sequential"
