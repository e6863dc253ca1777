"""A plugin whose methods go wrong in every way that a user may meet, and one that goes well."""

from mmbench import DatasetCard, MethodCard, Modality, Task, TermCard, hookimpl

TASK = Task("classification", 3, (Modality("left", "vector", (4,)), Modality("right", "vector", (2,))))
FAULTS = (
    "raises",
    "leaves",
    "nan",
    "diverges",
    "shape",
    "unnormalised",
    "killed",
    "hangs",
    "forgets",
    "peeks",
    "scribbles",
)


@hookimpl
def mmbench_methods():
    good = MethodCard("good", "goes well", "mmbench_drill_models:Good")
    slow = MethodCard("slow", "goes well, in time", "mmbench_drill_models:Slow")
    picky = MethodCard("picky", "takes images alone", "mmbench_drill_models:Good", kinds=("image",))
    faulty = [MethodCard(name, name, f"mmbench_drill_models:{name.title()}") for name in FAULTS]
    return [good, slow, picky, *faulty]


@hookimpl
def mmbench_terms():
    return [
        TermCard("shrink", "pulls logits to zero", "mmbench_drill_models:Shrink"),
        TermCard("smooth", "soft targets", "mmbench_drill_models:Smooth"),
    ]


@hookimpl
def mmbench_datasets():
    tiny = DatasetCard(
        "tiny",
        "three clusters in two views",
        "mmbench_drill_data:build",
        TASK,
        sizes=(96, 48, 60),
        protocols={"quick": {"rows": 48}},
    )
    left_out = DatasetCard("large", "not for quick", "mmbench_drill_data:build", TASK, protocols={"quick": "too large"})
    holes = DatasetCard(
        "holes", "the same with modalities missing", "mmbench_drill_data:build", TASK, preset={"missing": 0.5}
    )
    broken = DatasetCard("broken", "cannot be made", "mmbench_drill_data:broken", TASK)
    return [tiny, left_out, holes, broken]
