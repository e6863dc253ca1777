"""Tensor fusion and cross-modal attention. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, hookimpl


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="tfn",
            summary="Outer product of all modalities: every product of their features",
            build="mmbench_tensor.tfn:Tfn",
            paper="arXiv:1707.07250",
            claims=("synergy",),
        ),
        MethodCard(
            name="lmf",
            summary="The outer product contracted with weights of low rank, without being formed",
            build="mmbench_tensor.lmf:Lmf",
            paper="arXiv:1806.00064",
            claims=("synergy",),
        ),
        MethodCard(
            name="mult",
            summary="Cross-modal transformers of all ordered pairs of modalities",
            build="mmbench_tensor.mult:Mult",
            modalities=(1, 6),
            paper="arXiv:1906.00295",
            claims=("synergy",),
        ),
    ]
