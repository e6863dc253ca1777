"""A cell that turns the switches of the process turns them for itself alone."""

import contextlib
import gc
import os
import warnings

import numpy as np
import pytest
import torch

from mmbench.sweep.globals import restored_globals

MEDDLING = {
    "default dtype": (torch.get_default_dtype, lambda: torch.set_default_dtype(torch.float64)),
    "default device": (torch.get_default_device, lambda: torch.set_default_device("meta")),
    "gradients": (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
    "threads": (torch.get_num_threads, lambda: torch.set_num_threads(torch.get_num_threads() + 1)),
    "deterministic": (
        torch.are_deterministic_algorithms_enabled,
        lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    ),
    "anomalies": (torch.is_anomaly_enabled, lambda: torch.autograd.set_detect_anomaly(True)),
    "matmul": (torch.get_float32_matmul_precision, lambda: torch.set_float32_matmul_precision("medium")),
    "tf32": (
        lambda: torch.backends.cudnn.allow_tf32,
        lambda: setattr(torch.backends.cudnn, "allow_tf32", False),
    ),
    "autotuning": (lambda: torch.backends.cudnn.benchmark, lambda: setattr(torch.backends.cudnn, "benchmark", True)),
    "oneDNN": (lambda: torch.backends.mkldnn.enabled, lambda: setattr(torch.backends.mkldnn, "enabled", False)),
    "autocast": (lambda: torch.is_autocast_enabled("cpu"), lambda: torch.set_autocast_enabled("cpu", True)),
    "denormal numbers": (lambda: float(torch.tensor(1e-310).double() * 1e-3), lambda: torch.set_flush_denormal(True)),
    "floating-point errors": (np.geterr, lambda: np.seterr(all="raise")),
    "collector": (gc.isenabled, gc.disable),
    "warnings": (lambda: list(warnings.filters), lambda: warnings.simplefilter("error")),
    "environment": (lambda: dict(os.environ), lambda: os.environ.update(HOME="/", OMP_NUM_THREADS="7")),
    "folder": (os.getcwd, lambda: os.chdir("/")),
}


@pytest.mark.parametrize("what", MEDDLING)
def test_a_switch_is_put_back(what):
    read, meddle = MEDDLING[what]
    before = read()
    with restored_globals():
        meddle()
    assert read() == before


def test_all_switches_at_once_are_put_back_after_an_error_too():
    before = {what: read() for what, (read, _) in MEDDLING.items()}
    with contextlib.suppress(RuntimeError), restored_globals():
        for _, meddle in MEDDLING.values():
            meddle()
        raise RuntimeError
    assert {what: read() for what, (read, _) in MEDDLING.items()} == before


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "fp32_precision"), reason="this torch has one name for it alone")
def test_old_and_new_names_of_one_switch_may_be_mixed():
    names = (("generic", "all"), *((b, o) for b in ("cuda", "mkldnn") for o in ("all", "conv", "rnn", "matmul")))
    read = torch._C._get_fp32_precision_getter
    before = [read(*name) for name in names], torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    with restored_globals():
        torch.backends.fp32_precision = "tf32"
        torch.backends.cudnn.conv.fp32_precision = "ieee"
        torch.set_float32_matmul_precision("high")
        torch.backends.cuda.matmul.fp32_precision = "ieee"
    after = [read(*name) for name in names], torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    assert after == before


def test_a_folder_that_was_removed_is_no_reason_to_fail(tmp_path):
    before = os.getcwd()  # noqa: PTH109
    with restored_globals():
        (tmp_path / "gone").mkdir()
        os.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
    assert os.getcwd() == before  # noqa: PTH109
