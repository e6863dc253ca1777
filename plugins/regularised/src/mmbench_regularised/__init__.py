"""Similarity constraints and label smoothing, as terms. Light: every ``mmbench`` command imports this."""

from mmbench import TaskKind, TermCard, hookimpl

DISCRETE: tuple[TaskKind, ...] = ("classification", "multilabel", "verification", "anomaly")  # targets that are labels
EMBEDDINGS, PREDICTION = ("embeddings",), ("prediction",)


@hookimpl
def mmbench_terms() -> list[TermCard]:
    return [
        TermCard(
            name="supcon",
            summary="constraint: embeddings of one class attract, across samples and modalities (supervised contrast)",
            build="mmbench_regularised.supcon:SupCon",
            tasks=DISCRETE,
            needs=EMBEDDINGS,
        ),
        TermCard(
            name="laplacian",
            summary="constraint: samples that are neighbours in the inputs have close embeddings (unsupervised)",
            build="mmbench_regularised.laplacian:Laplacian",
            needs=EMBEDDINGS,
        ),
        TermCard(
            name="instances",
            summary="constraint: within a class, a sample's modalities find each other (contrast of instances)",
            build="mmbench_regularised.instances:Instances",
            tasks=DISCRETE,
            needs=EMBEDDINGS,
        ),
        TermCard(
            name="labels",
            summary="constraint: embeddings are as close as their labels are related",
            build="mmbench_regularised.labels:Labels",
            tasks=DISCRETE,
            needs=EMBEDDINGS,
        ),
        TermCard(
            name="smooth",
            summary="targets: label smoothing by a fixed share",
            build="mmbench_regularised.smooth:Smooth",
            tasks=DISCRETE,
            needs=PREDICTION,
        ),
        TermCard(
            name="adaptive-smooth",
            summary="targets: each sample's soft label follows the model's predictions of earlier epochs",
            build="mmbench_regularised.adaptive:adaptive_smooth",
            tasks=DISCRETE,
            needs=PREDICTION,
        ),
        TermCard(
            name="odds-barrier",
            summary="loss: a barrier on the odds of the true class, least where its probability is 1 - 1/strength",
            build="mmbench_regularised.barrier:OddsBarrier",
            tasks=DISCRETE,
            needs=PREDICTION,
        ),
    ]
