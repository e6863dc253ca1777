"""CUDA devices are handed out within what the caller allows."""

import json

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.sweep import devices
from mmbench.sweep.devices import DevicePool, allowed_devices

TWO = """#!/bin/sh
echo GPU-aaaa
echo GPU-bbbb
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """``machine(script)``: one whose ``nvidia-smi`` is this script, with a torch that can use CUDA."""
    monkeypatch.setattr(devices, "version", lambda name: "2.9.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def make(script: str) -> None:
        path = tmp_path / "nvidia-smi"
        path.write_text(script.replace("#!/bin/sh", "#!/bin/sh\nPATH=/bin:/usr/bin"))
        path.chmod(0o755)

    return make


def test_all_devices_of_the_machine(machine):
    machine(TWO)
    assert allowed_devices() == ("GPU-aaaa", "GPU-bbbb")


@pytest.mark.parametrize(
    ("visible", "devices"),
    [
        ("0", ("0",)),
        ("3,1", ("3", "1")),
        ("GPU-bbbb, MIG-1234", ("GPU-bbbb", "MIG-1234")),
        ("1,1", ("1",)),
        ("1,-1,2", ("1",)),
    ],
)
def test_the_callers_devices_in_the_callers_order(machine, monkeypatch, visible, devices):
    machine(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert allowed_devices() == devices


@pytest.mark.parametrize("visible", ["", "-1", "-1,0"])
def test_a_caller_who_allows_none_is_told(machine, monkeypatch, visible):
    machine(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(MmbenchError, match="allows no device; allow one in CUDA_VISIBLE_DEVICES, or use --device cpu"):
        allowed_devices()


@pytest.mark.parametrize("script", [None, "#!/bin/sh\nexit 9\n", "#!/bin/sh\n"])
def test_a_machine_without_devices_is_told(machine, script):
    if script is not None:
        machine(script)
    with pytest.raises(MmbenchError, match="nvidia-smi finds no device"):
        allowed_devices()


def test_a_torch_without_cuda_is_told_before_anything_runs(mmbench, monkeypatch):
    monkeypatch.setattr(devices, "version", lambda name: "2.9.0+cpu")
    with pytest.raises(MmbenchError, match="built without CUDA; install one with it"):
        allowed_devices()


def test_the_least_loaded_device_comes_first():
    pool = DevicePool(["a", "b", "c"])
    assert [pool.take() for _ in range(4)] == ["a", "b", "c", "a"]
    pool.give_back("b")
    assert [pool.take() for _ in range(3)] == ["b", "b", "c"]


def test_a_device_that_was_given_back_is_the_next():
    pool = DevicePool(["a", "b"])
    pool.take()
    pool.take()
    pool.give_back("b")
    pool.give_back(None)
    assert pool.take() == "b"


def test_who_wants_a_device_alone_gets_an_idle_one_and_nobody_joins():
    pool = DevicePool(["a", "b"])
    assert pool.take() == "a"
    assert pool.take(exclusive=True) == "b"
    assert not pool.has_room(exclusive=True)
    assert [pool.take() for _ in range(2)] == ["a", "a"]
    pool.give_back("b")
    assert pool.has_room(exclusive=True)
    assert pool.take() == "b"
    assert not pool.has_room(exclusive=True)


def test_nothing_is_handed_out_where_there_is_nothing():
    pool = DevicePool([])
    assert not pool.has_room()
    with pytest.raises(MmbenchError, match="no device is free"):
        pool.take()


def test_auto_is_the_cpu_where_no_device_may_be_used(mmbench, tmp_path):
    done = mmbench("run", "-m", "good", "-d", "tiny", "--seeds", "1", "--device", "auto", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0, done.stderr
    (record,) = tmp_path.glob("results/**/seed0-*.json")
    assert json.loads(record.read_text())["identity"]["device"] == "cpu"
    refused = mmbench("run", "-m", "good", "-d", "tiny", "--device", "auto", "--dtype", "tf32", CUDA_VISIBLE_DEVICES="")
    assert refused.returncode == 2
    assert "tf32 needs --device cuda" in refused.stderr
