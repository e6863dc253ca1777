"""Fusers: one vector from the modalities' vectors. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, hookimpl

HYBRID = "mmbench_pooling.hybrid:hybrid_pooling"
ATTENTION = "mmbench_pooling.attention:attention_pooling"
PLAIN = "mmbench_pooling.plain:plain"
LEARNS_XOR = ("synergy",)
SYMMETRIC = ("permutation-invariant", "synergy")


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="hybrid-pooling",
            summary="Standardised modality vectors, weighted by scores of their concatenation",
            build=HYBRID,
            preset={"static": False},
            claims=LEARNS_XOR,
        ),
        MethodCard(
            name="hybrid-pooling-static",
            summary="Standardised modality vectors, weighted by learned constants",
            build=HYBRID,
            preset={"static": True},
            claims=LEARNS_XOR,
        ),
        MethodCard(
            name="attention-pooling",
            summary="Modality vectors weighted by an attention vector of each modality",
            build=ATTENTION,
            preset={"static": False},
            claims=LEARNS_XOR,
        ),
        MethodCard(
            name="attention-pooling-static",
            summary="Modality vectors weighted by learned constants",
            build=ATTENTION,
            preset={"static": True},
            claims=LEARNS_XOR,
        ),
        MethodCard(
            name="multimodal-fc",
            summary="One fully connected layer of all modality vectors",
            build="mmbench_pooling.connected:multimodal_fc",
            claims=LEARNS_XOR,
        ),
        MethodCard(
            name="fuser-max",
            summary="Largest entry of the modality vectors, elementwise",
            build=PLAIN,
            preset={"rule": "max"},
            claims=SYMMETRIC,
        ),
        MethodCard(
            name="fuser-mean",
            summary="Mean of the modality vectors",
            build=PLAIN,
            preset={"rule": "mean"},
            claims=SYMMETRIC,
        ),
        MethodCard(
            name="gmu",
            summary="Gated multimodal unit: every entry of every modality has a gate that sees all modalities",
            build="mmbench_pooling.gated:gmu",
            paper="arXiv:1702.01992",
            claims=LEARNS_XOR,
        ),
        MethodCard(
            name="fuser-attention",
            summary="A class token attends to the modality vectors in one transformer layer",
            build="mmbench_pooling.transformer:fuser_attention",
            paper="arXiv:1706.03762",
            claims=SYMMETRIC,
        ),
    ]
