"""A record as a sweep would make it."""

import pytest

from mmbench.results import provenance
from mmbench.results.schema import Cost, Identity, ModalityRecord, Outcome, Provenance, Result, TaskRecord

IDENTITY = {
    "method": "late",
    "parameters": {"width": 32, "lr": 0.001, "rule": "mean", "gate": True, "delta": None, "betas": (0.9, 0.99)},
    "method_source": "a" * 32,
    "core_source": "c" * 32,
    "dataset": "avdigits",
    "dataset_parameters": {"n_train": 100},
    "dataset_version": "1",
    "data": "d" * 64,
    "protocol": "quick",
    "protocol_version": 1,
    "seed": 3,
}


@pytest.fixture
def make_identity():
    return lambda **changes: Identity(**{**IDENTITY, **changes})


@pytest.fixture
def make_result(make_identity):
    """``make_result(status="ok", identity=…, **changes)``: everything filled in."""

    def build(status="ok", identity=None, **changes):
        identity = identity or make_identity()
        commit, dirty = provenance.git_state()
        failed = {} if status == "ok" else {"message": "it went wrong", "traceback": "Traceback: …", "epoch": 4}
        filled = {
            "key": identity.key,
            "identity": identity,
            "outcome": Outcome(status=status, **failed),
            "configuration": {
                "width": 32,
                "training.lr": 0.001,
                "training.clip": None,
                "training.betas": "(0.9, 0.999)",
            },
            "task": TaskRecord(
                kind="classification",
                outputs=10,
                metric="accuracy",
                higher_is_better=True,
                modalities=(ModalityRecord(name="image", kind="image", shape=(1, 8, 8)),),
                sizes={"train": 100, "validation": 20, "test": 30},
                group="speaker",
            ),
            "scores": {"accuracy": 0.9, "nll": 1e-5},
            "validation": {"accuracy": 0.8},
            "chance": 0.1,
            "ceiling": 0.99,
            "cost": Cost(parameters=1234, epochs=9, fit_seconds=1.5, predict_seconds=0.01),
            "provenance": Provenance(
                created=provenance.now(),
                mmbench="0.1.0",
                plugin="mmbench-levels 0.1.0",
                libraries=provenance.libraries(),
                hardware=provenance.hardware(),
                commit=commit,
                dirty=dirty,
            ),
        }
        return Result(**{**filled, **changes})

    return build
