"""Attention between modalities at the stages of their encoders. Light: every ``mmbench`` command imports this.

The paper that the name DHCNN is attributed to could not be found: the methods are defined by a description of
their structure, and no published number is claimed.
"""

from mmbench import MethodCard, hookimpl

BUILD = "mmbench_dhcnn.dhcnn:DhcnnStyle"


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="dhcnn-style",
            summary="Attention between modalities at two stages of the encoders (from a description, no paper found)",
            build=BUILD,
            preset={"levels": 2},
            claims=("synergy",),
        ),
        MethodCard(
            name="dhcnn-style-flat",
            summary="The same at the last stage alone, the literal reading (from a description, no paper found)",
            build=BUILD,
            preset={"levels": 1},
            claims=("synergy",),
        ),
    ]
