"""Precision and kernels are what was asked for."""

import pytest
import torch

from mmbench.core.arithmetic import Arithmetic
from mmbench.train.arithmetic import set_up
from mmbench.train.run import CellRun


@pytest.fixture
def flags():
    yield
    set_up(Arithmetic())


def test_flags_are_set_and_set_back(flags):
    set_up(Arithmetic(dtype="tf32", deterministic=True))
    assert torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32
    assert torch.are_deterministic_algorithms_enabled()
    set_up(Arithmetic())
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.are_deterministic_algorithms_enabled()


def test_bfloat16_rounds_but_keeps_parameters_and_predictions_in_float32(toys):
    plain = toys.fit(toys.late, toys.train, toys.validation)
    run = CellRun(toys.task, 0, Arithmetic(dtype="bfloat16"))
    half = toys.fit(toys.late, toys.train, toys.validation, run=run)
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}
    one, other = plain.predict(toys.validation), half.predict(toys.validation)
    assert other.dtype == torch.float32
    assert not torch.equal(one, other)
    torch.testing.assert_close(one, other, atol=0.1, rtol=0.1)


@pytest.mark.slow
def test_a_compiled_step_learns_the_same(toys):
    plain = toys.fit(lambda: toys.Late(toys.task), toys.train, toys.validation)
    run = CellRun(toys.task, 0, Arithmetic(compiled=True))
    compiled = toys.fit(lambda: toys.Late(toys.task), toys.train, toys.validation, run=run)
    torch.testing.assert_close(compiled.predict(toys.validation), plain.predict(toys.validation), atol=1e-3, rtol=1e-3)
