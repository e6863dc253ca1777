"""Fusion levels: data, feature, decision and hybrid. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, TaskKind, hookimpl

# A largest, most voted or multiplied probability has no counterpart in regression.
DISCRETE: tuple[TaskKind, ...] = ("classification", "multilabel", "verification", "anomaly")
EARLY = "mmbench_levels.early:Early"
DECISION = "mmbench_levels.decision:Decision"
KITTLER = "10.1109/34.667881"


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="early-data",
            summary="Modalities concatenated on a common grid, one encoder",
            build=EARLY,
            preset={"level": "data"},
        ),
        MethodCard(
            name="early-feature",
            summary="One shallow layer a modality, then concatenated on a common grid, one encoder",
            build=EARLY,
            preset={"level": "feature"},
        ),
        MethodCard(
            name="late",
            summary="Encoders' vectors concatenated, a head with one hidden layer",
            build="mmbench_levels.late:Late",
        ),
        MethodCard(
            name="decision-mean",
            summary="Mean of unimodal probabilities",
            build=DECISION,
            preset={"rule": "mean"},
            paper=KITTLER,
        ),
        MethodCard(
            name="decision-weighted",
            summary="Weighted mean of unimodal probabilities, weights fitted on validation",
            build=DECISION,
            preset={"rule": "weighted"},
            paper=KITTLER,
        ),
        MethodCard(
            name="decision-max",
            summary="Largest unimodal probability of each class, renormalised",
            build=DECISION,
            preset={"rule": "max"},
            tasks=DISCRETE,
            paper=KITTLER,
        ),
        MethodCard(
            name="decision-vote",
            summary="Majority vote of unimodal predictions, ties to the mean probability",
            build=DECISION,
            preset={"rule": "vote"},
            tasks=DISCRETE,
            paper=KITTLER,
        ),
        MethodCard(
            name="decision-product",
            summary="Product of unimodal posteriors with prior correction",
            build=DECISION,
            preset={"rule": "product"},
            tasks=DISCRETE,
            paper=KITTLER,
        ),
        MethodCard(
            name="decision-stacking",
            summary="Logistic (ridge) regression on out-of-fold unimodal predictions; four trainings",
            build="mmbench_levels.stacking:Stacking",
            paper="10.1016/S0893-6080(05)80023-1",
        ),
        MethodCard(
            name="hybrid",
            summary="Learned blend of late and decision fusion",
            build="mmbench_levels.hybrid:Hybrid",
        ),
    ]
