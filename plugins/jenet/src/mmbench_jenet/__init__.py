"""Linear joint embeddings. Light: every ``mmbench`` command imports this.

The paper that the name JENET is attributed to could not be found: the methods are defined by a description of
their structure, and no published number is claimed.
"""

from mmbench import MethodCard, hookimpl

BUILD = "mmbench_jenet.jenet:JenetStyle"


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="jenet-style-max",
            summary="Elementwise maximum of linear embeddings, linear head (from a description, no paper found)",
            build=BUILD,
            preset={"fusion": "max"},
            own_encoder=True,
            claims=("synergy",),
        ),
        MethodCard(
            name="jenet-style-weighted",
            summary="Weighted mean of linear embeddings, linear head (from a description, no paper found)",
            build=BUILD,
            preset={"fusion": "weighted"},
            own_encoder=True,
            claims=("linear",),
        ),
    ]
