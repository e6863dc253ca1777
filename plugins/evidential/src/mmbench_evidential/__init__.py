"""Evidential fusion. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, TaskKind, hookimpl

# Evidence is for one of several classes; a value has none.
DISCRETE: tuple[TaskKind, ...] = ("classification", "multilabel", "verification", "anomaly")


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="tmc",
            summary="One opinion a modality, with its uncertainty; combined by Dempster's rule",
            build="mmbench_evidential.tmc:Tmc",
            tasks=DISCRETE,
            paper="arXiv:2102.02051",
        ),
    ]
