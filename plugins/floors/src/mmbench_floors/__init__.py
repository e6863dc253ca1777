"""Floors: rows that any fusion method has to beat. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, hookimpl


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="prior",
            summary="Training frequencies or the training mean, whatever the input",
            build="mmbench_floors.prior:Prior",
            deterministic=True,
            role="floor",
        ),
        MethodCard(
            name="unimodal",
            summary="One modality alone: the harness's encoder and a head",
            build="mmbench_floors.unimodal:Unimodal",
            each_modality=True,
            role="floor",
        ),
        MethodCard(
            name="linear",
            summary="Logistic or ridge regression on all modalities, flattened and concatenated",
            build="mmbench_floors.linear:Linear",
            deterministic=True,
            role="floor",
        ),
        MethodCard(
            name="boosting",
            summary="Histogram gradient boosting on all modalities, flattened and concatenated",
            build="mmbench_floors.boosting:Boosting",
            deterministic=True,
            role="floor",
            paper="10.1214/aos/1013203451",
        ),
    ]
