"""Splits: standardised by what the train split alone says; nothing leaks, nothing blows up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils import _pytree as pytree

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.source import SPLITS
from mmbench.data.splits import load_splits

MIXED = Task(
    "classification",
    3,
    (
        Modality("vector", "vector", (4,)),
        Modality("image", "image", (2, 3, 5)),
        Modality("sound", "spectrogram", (1, 4, 6)),
        Modality("sequence", "sequence", (6, 3)),
        Modality("video", "sequence", (4, 2, 3, 3)),
        Modality("words", "tokens", (5,), vocabulary=7),
    ),
)


def draw(task, rows, seed=0, missing=0.3):
    """Columns in which each feature has a mean and a spread of its own, with padding and holes."""
    rng = np.random.default_rng(seed)
    present = rng.random((rows, len(task.modalities))) >= missing
    columns = {"present": present, "target": rng.integers(0, 3, rows), "group": np.arange(rows) // 2}
    for i, modality in enumerate(task.modalities):
        if modality.kind == "tokens":
            values = rng.integers(1, modality.vocabulary, (rows, *modality.shape))
        else:
            values = (rng.normal(size=(rows, *modality.shape)) + 3) * (1 + np.arange(modality.shape[-1]))
            values = values.astype(np.float32)
        if modality.timed:
            length = rng.integers(1, modality.shape[0] + 1, rows)
            columns[f"{modality.name}:length"] = length
            real = np.arange(modality.shape[0]) < length[:, None]
            values = values * real.reshape(*real.shape, *[1] * (values.ndim - 2)).astype(values.dtype)
        here = present[:, i].reshape(rows, *[1] * (values.ndim - 1))
        columns[modality.name] = (values * here).astype(values.dtype)
    return columns


@pytest.fixture
def raw():
    return {name: draw(MIXED, rows, seed) for seed, (name, rows) in enumerate(zip(SPLITS, (60, 30, 40), strict=True))}


@pytest.fixture
def splits(prepared, raw):
    return prepared(MIXED, raw)


def real(split, name):
    """(B,…) bool: what is neither absent nor padded."""
    inputs = split.inputs
    there = inputs.mask(name) if name in inputs.lengths else inputs.here(name)
    value = inputs.values[name]
    return there.reshape(*there.shape, *[1] * (value.dim() - there.dim())).expand_as(value)


AXES = {"vector": 1, "image": 1, "sound": 1, "sequence": 2, "video": 2}  # that is standardised one by one


@pytest.mark.parametrize("name", AXES)
def test_train_has_mean_zero_and_deviation_one_where_there_is_something(splits, name):
    values, there = splits.train.inputs.values[name], real(splits.train, name)
    for feature in range(values.shape[AXES[name]]):
        some = values.select(AXES[name], feature)[there.select(AXES[name], feature)].double()
        assert some.mean().item() == pytest.approx(0, abs=1e-5)
        assert some.std(correction=0).item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("part", SPLITS)
def test_what_is_padded_or_absent_is_zero(splits, part):
    split = getattr(splits, part)
    for name in MIXED.names:
        there = real(split, name)
        assert not there.all()
        assert not split.inputs.values[name][~there].any()
        assert split.inputs.values[name][there].any()


def test_tokens_and_lengths_stay_as_they_are(splits, raw):
    some = raw["train"]["present"].any(1)
    np.testing.assert_array_equal(splits.train.inputs.values["words"], raw["train"]["words"][some])
    assert splits.train.inputs.values["words"].dtype == torch.int64
    for name in ("sequence", "video", "words"):
        np.testing.assert_array_equal(splits.train.inputs.lengths[name], raw["train"][f"{name}:length"][some])
    assert set(splits.train.inputs.lengths) == {"sequence", "video", "words"}


def test_everything_is_single_precision_and_in_the_order_of_the_task(splits):
    for split in (splits.train, splits.validation, splits.test):
        assert split.inputs.names == list(MIXED.names)
        assert all(split.inputs.values[name].dtype == torch.float32 for name in AXES)
        assert split.target.dtype == torch.int64
        assert split.inputs.present.dtype == torch.bool


def test_nothing_of_validation_or_test_gets_into_train(prepared, raw, splits):
    other = {**raw, "validation": draw(MIXED, 50, seed=77), "test": draw(MIXED, 50, seed=78)}
    for part in ("validation", "test"):
        other[part]["vector"] = other[part]["vector"] * 1000
    again = prepared(MIXED, other)
    for name in MIXED.names:
        assert torch.equal(again.train.inputs.values[name], splits.train.inputs.values[name])
    assert torch.equal(again.train.target, splits.train.target)


def test_validation_and_test_are_scaled_as_train_is(splits, raw):
    scaling = splits.inputs_scaling["vector"]
    here = torch.from_numpy(raw["test"]["present"][:, 0])
    wanted = (torch.from_numpy(raw["test"]["vector"]).double() - scaling.mean) / scaling.deviation
    torch.testing.assert_close(splits.test.inputs.values["vector"][here].double(), wanted[here], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("part", SPLITS)
def test_raw_undoes_the_standardisation(splits, raw, part):
    split = getattr(splits, part)
    back = splits.raw(split.inputs)
    kept = raw[part]["present"].any(1) if part != "test" else np.ones(40, dtype=bool)
    for name in MIXED.names:
        np.testing.assert_allclose(back.values[name].numpy(), raw[part][name][kept], rtol=1e-5, atol=1e-4)
        assert not back.values[name][~real(split, name)].any()
    assert back.values["vector"].dtype == torch.float64
    assert torch.equal(back.present, split.inputs.present)


@pytest.mark.parametrize("constant", [0.0, 1.0, -3.0, 1e-12, 1e12])
def test_a_constant_feature_is_centred_and_not_blown_up(prepared, constant):
    task = Task("classification", 3, (Modality("x", "vector", (2,)),))
    parts = {name: draw(task, 200, seed, missing=0) for seed, name in enumerate(SPLITS)}
    for part in parts.values():
        part["x"][:, 1] = constant
    splits = prepared(task, parts)
    for split in (splits.train, splits.validation, splits.test):
        values = split.inputs.values["x"]
        assert values.isfinite().all()
        assert values[:, 1].abs().max() <= 1e-6 * max(abs(constant), 1)
    assert splits.raw(splits.test.inputs).values["x"][:, 1].numpy() == pytest.approx(np.float32(constant))


def test_a_feature_of_a_small_scale_is_a_feature_all_the_same(prepared):
    task = Task("classification", 3, (Modality("x", "vector", (2,)),))
    parts = {name: draw(task, 50, seed, missing=0) for seed, name in enumerate(SPLITS)}
    for part in parts.values():
        part["x"][:, 1] = part["x"][:, 0] * 1e-6
    values = prepared(task, parts).train.inputs.values["x"]
    torch.testing.assert_close(values[:, 1], values[:, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mark", [np.nan, np.inf, 9999.0])
def test_what_stands_where_nothing_is_never_gets_in(prepared, raw, splits, mark):
    """People mark the absent and the padded with NaN or 9999."""
    marked = {part: dict(columns) for part, columns in raw.items()}
    for part, columns in marked.items():
        for i, name in enumerate(MIXED.names):
            there = np.ones(columns[name].shape[:2] if f"{name}:length" in columns else len(columns[name]), dtype=bool)
            if f"{name}:length" in columns:
                there &= np.arange(there.shape[1]) < columns[f"{name}:length"][:, None]
            there &= columns["present"][:, i].reshape(-1, *[1] * (there.ndim - 1))
            there = there.reshape(*there.shape, *[1] * (columns[name].ndim - there.ndim))
            stands = -1 if name == "words" else np.float32(mark)
            marked[part][name] = np.where(there, columns[name], stands)
    again = prepared(MIXED, marked)
    for part in SPLITS:
        for name in MIXED.names:
            clean, dirty = (getattr(one, part).inputs.values[name] for one in (splits, again))
            assert torch.equal(clean, dirty), (part, name)


def test_rows_without_any_modality_are_left_out_but_for_the_test_split(prepared, raw):
    nothing = np.zeros(len(MIXED.modalities), dtype=bool)
    for part, rows in (("train", [0, 7]), ("validation", [2]), ("test", [0, 1, 2])):
        raw[part]["present"][:, 0] = True
        raw[part]["present"][rows] = nothing
    splits = prepared(MIXED, raw)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (58, 29, 40)
    assert splits.train.inputs.present.any(1).all()
    assert splits.validation.inputs.present.any(1).all()
    assert not splits.test.inputs.present[:3].any()
    np.testing.assert_array_equal(splits.train.target, np.delete(raw["train"]["target"], [0, 7]))
    np.testing.assert_array_equal(splits.group["train"], np.delete(raw["train"]["group"], [0, 7]))
    np.testing.assert_array_equal(splits.group["test"], raw["test"]["group"])


def test_the_test_split_can_be_shown_without_its_target(splits):
    assert splits.test.target is not None
    assert splits.test.withheld().target is None
    assert len(splits.test.withheld()) == 40


def test_without_lengths_and_presence_everything_is_there(prepared):
    task = Task("classification", 3, (Modality("x", "vector", (2,)), Modality("s", "sequence", (4, 2))))
    parts = {}
    for seed, name in enumerate(SPLITS):
        columns = draw(task, 10, seed, missing=0)
        parts[name] = {key: columns[key] for key in ("x", "s", "target")}
    train = prepared(task, parts).train
    assert train.inputs.present.all()
    assert train.inputs.lengths["s"].tolist() == [4] * 10
    assert train.inputs.mask("s").all()


def regression(prepared, outputs=2):
    task = Task("regression", outputs, (Modality("x", "vector", (2,)),))
    parts = {}
    for seed, name in enumerate(SPLITS):
        rng = np.random.default_rng(seed)
        target = (rng.normal(size=(30, outputs)) * [2.0, 300.0][:outputs] + [5.0, -1000.0][:outputs]).astype(np.float32)
        parts[name] = {"x": rng.normal(size=(30, 2)).astype(np.float32), "target": target, "group": np.arange(30)}
    return prepared(task, parts), parts


def test_targets_of_a_regression_are_scaled_by_train_and_can_be_had_in_their_units(prepared):
    splits, parts = regression(prepared)
    assert splits.train.target.mean(0).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert splits.train.target.std(0, correction=0).tolist() == pytest.approx([1, 1], abs=1e-5)
    for part in SPLITS:
        split = getattr(splits, part)
        np.testing.assert_allclose(splits.in_units(split.target).numpy(), parts[part]["target"], rtol=1e-5, atol=1e-3)
    assert splits.train.target.dtype == torch.float32
    zero = splits.in_units(torch.zeros(1, 2))
    np.testing.assert_allclose(zero[0].numpy(), parts["train"]["target"].astype(np.float64).mean(0), rtol=1e-6)


def test_targets_of_other_tasks_have_no_units(splits, raw):
    assert splits.target_scaling is None
    np.testing.assert_array_equal(splits.test.target, raw["test"]["target"])
    values = torch.rand(3, 3)
    assert splits.in_units(values) is values


def test_targets_of_test_are_kept_as_they_came(prepared, splits, raw):
    kept = splits.targets_of_test()
    np.testing.assert_array_equal(kept["target"], raw["test"]["target"])
    np.testing.assert_array_equal(kept["group"], raw["test"]["group"])
    values, parts = regression(prepared)
    kept = values.targets_of_test()
    assert kept["target"].dtype == np.float32
    np.testing.assert_allclose(kept["target"], parts["test"]["target"], rtol=1e-5)
    withheld = replace(values, test=values.test.withheld())
    assert withheld.targets_of_test() == {}


def test_splits_can_be_had_in_double_precision(splits):
    double = splits.to("cpu", torch.float64)
    for split in (double.train, double.validation, double.test):
        assert split.inputs.values["vector"].dtype == torch.float64
        assert split.inputs.values["words"].dtype == torch.int64
        assert split.target.dtype == torch.int64
        assert split.inputs.present.dtype == torch.bool
    torch.testing.assert_close(double.train.inputs.values["image"].float(), splits.train.inputs.values["image"])
    assert double.task == splits.task


def test_reading_twice_gives_the_same_tensors(prepared, raw, splits):
    again = prepared(MIXED, raw)
    for part in SPLITS:
        for name in MIXED.names:
            assert torch.equal(getattr(again, part).inputs.values[name], getattr(splits, part).inputs.values[name])


def test_the_tensors_may_be_written_to_and_nobody_else_sees_it(kept, raw):
    """Nor is it forgotten: the harness finds by a tensor's version who writes into the splits."""
    dataset = kept(MIXED, raw)
    splits, others = (load_splits(dataset.task, dataset.folder) for _ in range(2))
    for tensor in (splits.train.target, splits.train.inputs.values["vector"], splits.test.inputs.lengths["video"]):
        before = tensor._version
        tensor.fill_(7)
        assert (tensor == 7).all()
        assert tensor._version > before
    for clean in (others, load_splits(dataset.task, dataset.folder)):
        np.testing.assert_array_equal(clean.train.target, raw["train"]["target"][raw["train"]["present"].any(1)])
        assert clean.train.inputs.values["vector"].max() < 7
        np.testing.assert_array_equal(clean.test.inputs.lengths["video"], raw["test"]["video:length"])


def test_what_is_on_its_device_in_its_precision_is_not_copied(splits):
    same = splits.to("cpu", torch.float32)
    for part in SPLITS:
        here, there = (pytree.tree_leaves(getattr(one, part)) for one in (splits, same))
        assert all(x is y for x, y in zip(here, there, strict=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("transfer", [1, 500, 2**26])
def test_splits_go_to_a_gpu_in_blocks(splits, monkeypatch, transfer):
    monkeypatch.setattr("mmbench.data.splits.TRANSFER", transfer)
    moved = splits.to("cuda", torch.float64)
    for part in SPLITS:
        here, there = (pytree.tree_leaves(getattr(one, part)) for one in (splits.to("cpu", torch.float64), moved))
        for x, y in zip(here, there, strict=True):
            assert y.device.type == "cuda"
            assert torch.equal(x, y.cpu())
