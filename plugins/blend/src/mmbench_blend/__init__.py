"""Training in which no modality starves the others. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, hookimpl


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="gradient-blending",
            summary="Late fusion with a loss a modality, weighted by how well each generalises; two trainings",
            build="mmbench_blend.gradient_blending:GradientBlending",
            paper="arXiv:1905.12681",
            claims=("synergy",),
        ),
        MethodCard(
            name="ogm-ge",
            summary="Late fusion, linear; gradients of the modality that dominates are damped, and noise is added",
            build="mmbench_blend.ogm:OGM",
            tasks=("classification", "multilabel", "verification", "anomaly"),  # the ratio is one of probabilities
            paper="arXiv:2203.15332",
            claims=("linear",),
        ),
    ]
