"""The benchmarks' plugin: a method that does nothing, one that says where it runs, and data made for measuring."""

from mmbench import DatasetCard, MethodCard, Modality, Task, hookimpl

SMALL = Task("classification", 2, (Modality("left", "vector", (4,)), Modality("right", "vector", (2,))))
WIDE = Task("classification", 2, (Modality("left", "vector", (900,)), Modality("right", "vector", (900,))))


@hookimpl
def mmbench_methods():
    return [
        MethodCard("noop", "learns nothing, predicts one half", "mmbench_bench_noop:Noop"),
        MethodCard("late-told", "late fusion that says where it runs", "mmbench_bench_late:Told"),
    ]


@hookimpl
def mmbench_datasets():
    build = "mmbench_bench_data"
    return [
        DatasetCard("small", "96 rows of noise", f"{build}:small", SMALL, sizes=(96, 48, 48)),
        DatasetCard("wide", "rows of 1,800 numbers", f"{build}:wide", WIDE, training={"epochs": 2, "floor": 2}),
    ]
