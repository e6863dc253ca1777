"""What holds for every augmentation, whatever it does."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.func import vmap
from torch.utils import _pytree as pytree

from mmbench import MmbenchError
from mmbench.core.parameters import parameters_of
from mmbench.registry import installed, load
from mmbench.testing.samples import make_split, make_task

AUGMENTATIONS = sorted(name for name, card in installed().terms.items() if card.build.startswith("mmbench.nn.augment."))
SAMPLING = ("stride", "crop-time")
every = pytest.mark.parametrize("name", AUGMENTATIONS)


def leaves(inputs):
    return pytree.tree_leaves(inputs)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(leaves(one), leaves(other), strict=True))


def test_there_are_augmentations_of_each_sort():
    assert {"flip", "crop", "rotate", "scale", "warp", "noise", "time-warp", "shift", "mask"} < set(AUGMENTATIONS)
    assert {"modality-dropout", "stride", "crop-time"} < set(AUGMENTATIONS)


@every
def test_it_changes_something_in_training_and_nothing_in_evaluation(name, make, apply, inputs):
    term = make(name)
    assert not same(apply(term, inputs), inputs)
    assert apply(term.eval(), inputs) is inputs


@every
def test_the_inputs_it_is_given_stay_as_they_are(name, make, apply, inputs):
    before = pytree.tree_map(torch.clone, inputs)
    versions = [x._version for x in leaves(inputs)]
    apply(make(name), inputs)
    assert same(inputs, before)
    assert [x._version for x in leaves(inputs)] == versions


@every
def test_a_seed_says_what_it_does(name, make, apply, inputs):
    term = make(name)
    assert same(apply(term, inputs, 3), apply(term, inputs, 3))
    assert not same(apply(term, inputs, 3), apply(term, inputs, 4))


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_absent_and_padded_values_stay_zero_and_lengths_right(name, dtype, task, make, apply):
    inputs = make_split(task, 64, missing=True, dtype=dtype if dtype != torch.bfloat16 else torch.float32).inputs
    inputs = replace(inputs, values={n: v.to(dtype) if v.is_floating_point() else v for n, v in inputs.values.items()})
    found = apply(make(name), inputs)
    assert list(found.values) == list(inputs.values)
    assert bool(found.present.any(1).all())
    assert not bool((found.present & ~inputs.present).any()), "what is absent does not come back"
    for modality in task.modalities:
        values, old = found.values[modality.name], inputs.values[modality.name]
        assert values.shape == old.shape
        assert values.dtype == old.dtype
        assert bool(torch.isfinite(values).all())
        assert not bool(values[~found.here(modality.name)].any())
        if modality.timed:
            length = found.lengths[modality.name]
            assert int(length.min()) >= 1
            assert bool((length <= inputs.lengths[modality.name]).all())
            if name not in SAMPLING:
                assert torch.equal(length, inputs.lengths[modality.name])
            assert not bool(values[~found.mask(modality.name)].any()), "padding stays zero"


@every
def test_it_acts_where_only_says(name, task, make, apply, inputs):
    chosen = {"flip": "wide1", "crop": "frames5", "crop-time": "tokens6"}.get(name)
    chosen = chosen or next(m.name for m in make(name).modalities) if name != "modality-dropout" else "vector7"
    term = make(name, only=chosen, p=0.99)
    found = apply(term, inputs)
    for other in task.names:
        assert torch.equal(found.values[other], inputs.values[other]) == (other != chosen), other


@every
def test_with_p_of_nearly_zero_samples_stay_as_they_are(name, make, apply, inputs):
    assert same(apply(make(name, p=0.001), inputs), inputs)


@every
def test_under_vmap_each_copy_draws_for_itself_and_keeps_the_rules(name, task, make, inputs):
    term = make(name)
    copies = pytree.tree_map(lambda x: x.expand(3, *x.shape), inputs)
    torch.manual_seed(0)
    found = vmap(term.inputs, randomness="different")(copies)
    one, other = (pytree.tree_map(lambda x, i=i: x[i], found) for i in (0, 1))
    assert not same(one, other)
    for each in (one, other):
        for modality in task.modalities:
            real = each.mask(modality.name) if modality.timed else each.here(modality.name)
            assert not bool(each.values[modality.name][~real].any())


@every
def test_a_sample_is_changed_whatever_the_others_are(name, make, apply, inputs):
    """The draws are the same, the other rows are not."""
    strangers = pytree.tree_map(torch.clone, inputs)
    for values in strangers.values.values():
        values[1:] = values[1:].flip(0)
    one, other = apply(make(name), inputs), apply(make(name), strangers)
    for modality, values in one.values.items():
        assert torch.equal(values[0], other.values[modality][0])


@pytest.mark.parametrize(("name", "modalities"), [("flip", "vector sequence"), ("stride", "image tokens")])
def test_a_task_without_a_fitting_modality_is_refused(name, modalities, make):
    with pytest.raises(MmbenchError, match=f"{name} acts on .*, and the task has none of these"):
        make(name, make_task("classification", modalities))


def test_a_wrong_name_is_refused(make):
    with pytest.raises(MmbenchError, match=r"no modality 'fame5'.*did you mean frames5"):
        make("flip", only="image0+fame5")
    with pytest.raises(MmbenchError, match="'vector7' is of kind vector"):
        make("flip", only="image0+vector7")


def test_one_draw_moves_all_modalities_of_a_sample(make, apply, task):
    """What is aligned stays aligned."""
    values = torch.randn(20, 2, 8, 8)
    pair = make_task("classification", "image image")
    inputs = replace(make_split(pair, 20).inputs, values={"image0": values, "image1": values + 1})
    found = apply(make("flip", pair), inputs)
    torch.testing.assert_close(found.values["image0"] + 1, found.values["image1"])


def test_other_things_under_a_modalitys_name_are_left_alone(make, apply, task, inputs):
    logits = torch.randn(40, 3)
    mixed = replace(inputs, values={**inputs.values, "image0": logits})
    found = apply(make("flip", p=1.0), mixed)
    assert torch.equal(found.values["image0"], logits)
    assert not torch.equal(found.values["wide1"], inputs.values["wide1"])


@every
def test_its_page_names_it_with_its_parameters_and_defaults(name):
    page = (Path(__file__).parents[3] / "docs" / "augmentation.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` "))
    declared = parameters_of(load(installed().term(name)), name)
    wanted = [f"`{p.name}={p.default}`" for p in declared.values() if p.name != "only"]
    assert row.split(" | ")[-1].rstrip(" |") == ", ".join(wanted)
