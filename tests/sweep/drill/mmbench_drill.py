"""A plugin whose methods go wrong in every way that a user may meet, and one that goes well."""

from mmbench import DatasetCard, MeasureCard, MethodCard, Modality, Score, Task, TermCard, hookimpl

TASK = Task("classification", 3, (Modality("left", "vector", (4,)), Modality("right", "vector", (2,))))
FAULTS = {
    "models": (
        "raises leaves nan diverges shape unnormalised strange unscorable forgets peeks scribbles silent babbles "
        "greedy greedy-torch"
    ),
    "crashes": (
        "killed segfault exits hangs stuck hog hog-elsewhere fork once greedy-once leaver leaver-dies leaver-stuck "
        "witness meddler"
    ),
}
MEASURES = "census raising vague fatal mute endless scribbling infinite beyond"


@hookimpl
def mmbench_methods():
    good = MethodCard("good", "goes well", "mmbench_drill_models:Good")
    slow = MethodCard("slow", "goes well, in time", "mmbench_drill_models:Slow")
    idle = MethodCard("idle", "does nothing", "mmbench_drill_models:Idle")
    picky = MethodCard("picky", "takes images alone", "mmbench_drill_models:Good", kinds=("image",))
    fickle = MethodCard("fickle", "goes well in a good mood", "mmbench_drill_models:Fickle")
    stillborn = MethodCard("stillborn", "its module cannot be imported the first time", "mmbench_drill_stillborn:Good")
    faulty = [
        MethodCard(name, name, f"mmbench_drill_{module}:{name.title().replace('-', '')}")
        for module, names in FAULTS.items()
        for name in names.split()
    ]
    return [good, slow, idle, picky, fickle, stillborn, *faulty]


@hookimpl
def mmbench_terms():
    return [
        TermCard("shrink", "pulls logits to zero", "mmbench_drill_models:Shrink"),
        TermCard("soften", "soft targets", "mmbench_drill_models:Smooth"),
    ]


@hookimpl
def mmbench_measures():
    scores = (Score("oddity", "oddity"),)
    return [
        MeasureCard("oddity", "has no number for odd predictions", "mmbench_drill_models:oddity", scores),
        *map(
            _of_method, ["census", "raising", "vague", "fatal", "mute", "endless", "scribbling", "infinite", "beyond"]
        ),
    ]


def _of_method(name):
    scores = (Score(name, name, high=1.0 if name == "beyond" else float("inf")),)
    protocols = {"quick": {"times": 2}} if name == "census" else {}
    build = f"mmbench_drill_measures:{name}"
    return MeasureCard(name, name, build, scores, needs="method", protocols=protocols, opt_in=True)


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
    long = DatasetCard(
        "long", "the same with a long test split", "mmbench_drill_data:build", TASK, preset={"test": 7_000}
    )
    left_out = DatasetCard("large", "not for quick", "mmbench_drill_data:build", TASK, protocols={"quick": "too large"})
    holes = DatasetCard(
        "holes", "the same with modalities missing", "mmbench_drill_data:build", TASK, preset={"missing": 0.5}
    )
    broken = DatasetCard("broken", "cannot be made", "mmbench_drill_data:broken", TASK)
    mortal = DatasetCard("mortal", "kills whoever makes it", "mmbench_drill_data:mortal", TASK)
    return [tiny, long, left_out, holes, broken, mortal]
