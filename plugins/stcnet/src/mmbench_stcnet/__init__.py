"""stcnet-style fusion. Light: every ``mmbench`` command imports this."""

from mmbench import Kind, MethodCard, hookimpl

STCNET = "mmbench_stcnet.stcnet:STCNetStyle"
MEASURED: tuple[Kind, ...] = ("vector", "image", "spectrogram", "sequence")  # token ids have no squared error


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="stcnet-style",
            summary="Causal convolutions a modality, attention over all frames of all; from a description, "
            "the paper that it names was not found",
            build=STCNET,
            own_encoder=True,
            claims=("synergy",),
        ),
        MethodCard(
            name="stcnet-style-local",
            summary="The same without the attention: modalities meet in the head alone",
            build=STCNET,
            preset={"nonlocal_block": False},
            own_encoder=True,
            claims=("synergy",),
        ),
        MethodCard(
            name="stcnet-style-reconstruction",
            summary="Anomalies: how badly each modality is reconstructed from the frames of the others",
            build="mmbench_stcnet.reconstruction:STCNetReconstruction",
            tasks=("anomaly",),
            kinds=MEASURED,
            modalities=(2, 10),
            own_encoder=True,
        ),
    ]
