"""Two towers with interaction, and attention between modalities. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, hookimpl

BITOWER = "mmbench_bitower.bitower:BiTower"


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="bi-tower",
            summary="Best modality and the rest in two interacting towers, CRF confidences; M+1 trainings",
            build=BITOWER,
            preset={"top": 10},
        ),
        MethodCard(
            name="bi-tower-hard",
            summary="The same, each sample keeping its top most confident modalities alone (straight-through)",
            build=BITOWER,
        ),
        MethodCard(
            name="interactive-attention",
            summary="Each modality's tokens attend to those of the others",
            build="mmbench_bitower.interactive:InteractiveAttention",
            claims=("synergy",),
        ),
        MethodCard(
            name="joint-attention",
            summary="One affinity of all tokens, normalised in both directions (co-attention)",
            build="mmbench_bitower.joint:JointAttention",
            claims=("synergy",),
        ),
        MethodCard(
            name="temporal-attention",
            summary="Weights of modalities recomputed at each step from the state of a GRU",
            build="mmbench_bitower.temporal:TemporalAttention",
            claims=("synergy", "permutation-invariant"),
        ),
        MethodCard(
            name="resnet-transformer",
            summary="Sample code made to work: frozen random ResNet18, weighted tokens, one transformer layer",
            build="mmbench_bitower.resnet_transformer:ResNetTransformer",
            own_encoder=True,
            opt_in=True,
        ),
    ]
