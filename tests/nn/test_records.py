"""Tensor records: blanking, merging and taking rows; and that ``torch.func`` maps over them."""

from dataclasses import replace

import pytest
import torch
from torch.utils import _pytree as pytree

from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.nn.records import Batch, Encoded, FusionOutput, Inputs, Split

TASK = Task(
    "classification",
    3,
    (
        Modality("vector", "vector", (4,)),
        Modality("sequence", "sequence", (6, 2)),
        Modality("words", "tokens", (5,), vocabulary=9),
    ),
)
ROWS = 7


@pytest.fixture
def inputs(draw_inputs):
    return draw_inputs(TASK, ROWS)


@pytest.fixture
def split(inputs):
    generator = torch.Generator().manual_seed(1)
    target = torch.randint(0, 3, (ROWS,), generator=generator)
    return Split(inputs, target, torch.arange(ROWS) % 2 == 0, torch.arange(ROWS) // 3)


def equal(first, second):
    """Whether two records hold the same tensors under the same names."""
    one, shape = pytree.tree_flatten(first)
    two, other = pytree.tree_flatten(second)
    return shape == other and all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_names_and_presence_go_by_the_order_of_the_task(inputs):
    assert inputs.names == ["vector", "sequence", "words"]
    assert len(inputs) == ROWS
    present = torch.rand(ROWS, 3, generator=torch.Generator().manual_seed(2)) > 0.5
    kept = inputs.keep(present)
    for i, name in enumerate(inputs.names):
        assert torch.equal(kept.here(name), present[:, i])


def test_what_is_not_kept_is_absent_and_zero_and_the_rest_is_untouched(inputs):
    present = torch.tensor([True, False, True]).expand(ROWS, 3).clone()
    present[2] = torch.tensor([False, True, False])
    kept = inputs.keep(present)
    for name in inputs.names:
        here = kept.here(name)
        assert torch.equal(kept.values[name][here], inputs.values[name][here])
        assert not kept.values[name][~here].any()
        assert kept.values[name].dtype == inputs.values[name].dtype
    assert torch.equal(inputs.present, torch.ones(ROWS, 3, dtype=torch.bool)), "the original was changed"


def test_keep_cannot_bring_back_what_is_absent(inputs):
    once = inputs.without("vector")
    assert torch.equal(once.keep(torch.ones_like(inputs.present)).present, once.present)


def test_values_that_are_no_numbers_are_blanked_too(inputs):
    """NaN times zero is NaN; an absent modality must not poison what is present."""
    poisoned = replace(inputs, values={**inputs.values, "vector": torch.full((ROWS, 4), torch.nan)})
    assert not poisoned.without("vector").values["vector"].any()


def test_without_names_what_goes(inputs):
    left = inputs.without("vector", "words")
    assert left.present.tolist() == [[False, True, False]] * ROWS
    assert torch.equal(left.values["sequence"], inputs.values["sequence"])
    assert equal(inputs.without(), inputs)


def test_a_modality_that_is_not_there_cannot_be_left_out(inputs):
    """Otherwise a misspelt ablation would measure the whole method."""
    with pytest.raises(ValueError, match="vectro"):
        inputs.without("vectro")


def test_a_mask_is_false_where_padded_or_absent(inputs):
    lengths = torch.tensor([6, 1, 3, 2, 4, 5, 6])
    inputs = replace(inputs, lengths={**inputs.lengths, "sequence": lengths})
    present = torch.ones_like(inputs.present)
    present[4, 1] = False
    mask = inputs.keep(present).mask("sequence")
    assert mask.shape == (ROWS, 6)
    assert mask.sum(1).tolist() == [6, 1, 3, 2, 0, 5, 6]
    assert mask[2].tolist() == [True, True, True, False, False, False]


def test_take_takes_rows_of_every_part(inputs, split):
    index = torch.tensor([5, 0, 5])
    taken = split.take(index)
    assert len(taken) == 3
    for name in inputs.names:
        assert torch.equal(taken.inputs.values[name], inputs.values[name][index])
    for name in inputs.lengths:
        assert torch.equal(taken.inputs.lengths[name], inputs.lengths[name][index])
    assert torch.equal(taken.target, split.target[index])
    assert torch.equal(taken.labelled, split.labelled[index])
    assert torch.equal(taken.domain, split.domain[index])
    assert Split(inputs).take(index).target is None


def test_take_takes_times_too(inputs):
    times = torch.arange(ROWS * 6).reshape(ROWS, 6).double()
    taken = replace(inputs, times={"sequence": times}).take(torch.tensor([3]))
    assert torch.equal(taken.times["sequence"], times[3:4])


def test_withheld_has_no_target_and_all_the_inputs(split):
    assert split.withheld().target is None
    assert split.withheld().labelled is None
    assert equal(split.withheld().inputs, split.inputs)


def test_supervised_rows_are_those_with_a_label(split):
    rows, target = split.supervised()
    assert torch.equal(target, split.target[split.labelled])
    assert torch.equal(rows.inputs.values["vector"], split.inputs.values["vector"][split.labelled])
    rows, target = replace(split, labelled=None).supervised()
    assert torch.equal(target, split.target)
    assert len(rows) == ROWS
    with pytest.raises(ValueError, match="this split has none"):
        split.withheld().supervised()


def test_merge_fills_what_is_absent_and_nothing_else(inputs, draw_inputs):
    """Impute, then fuse: what was measured stands."""
    other = draw_inputs(TASK, ROWS, seed=9)
    some = torch.ones_like(inputs.present)
    some[:3, 0] = some[2:5, 1] = False
    mine = inputs.keep(some)
    merged = mine.merge(other)
    assert merged.present.all()
    for name in inputs.names:
        here = mine.here(name)
        assert torch.equal(merged.values[name][here], inputs.values[name][here])
        assert torch.equal(merged.values[name][~here], other.values[name][~here])
    here = mine.here("sequence")
    assert torch.equal(merged.lengths["sequence"][here], inputs.lengths["sequence"][here])
    assert torch.equal(merged.lengths["sequence"][~here], other.lengths["sequence"][~here])


def test_merge_takes_one_modality_alone_and_what_both_lack_stays_absent(inputs):
    mine = inputs.without("vector", "sequence")
    present = torch.arange(ROWS)[:, None] < 2
    generated = torch.ones(ROWS, 4, dtype=torch.float64) * present
    merged = mine.merge(Inputs({"vector": generated}, present))
    assert merged.here("vector").tolist() == [True, True, *[False] * 5]
    assert merged.values["vector"].sum() == 8
    assert not merged.here("sequence").any()
    assert torch.equal(merged.values["words"], inputs.values["words"])


def test_merge_maps_over_models_that_imputed_differently(inputs):
    mine = inputs.without("vector")
    generated = torch.randn(3, ROWS, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    present = torch.rand(3, ROWS, 1, generator=torch.Generator().manual_seed(4)) > 0.5
    together = torch.vmap(lambda other: mine.merge(other))(Inputs({"vector": generated}, present))
    for i in range(3):
        alone = mine.merge(Inputs({"vector": generated[i]}, present[i]))
        assert torch.equal(together.values["vector"][i], alone.values["vector"])
        assert torch.equal(together.present[i], alone.present)


def records(split):
    x = torch.randn(ROWS, 4, dtype=torch.float64)
    mask = torch.ones(ROWS, 1, dtype=torch.bool)
    return [
        split.inputs,
        split,
        Batch(split.inputs, split.target, torch.arange(ROWS), torch.zeros(ROWS), x),
        FusionOutput(x, {"vector": x}, None, {"vector": x}, {}, {"extra": x}),
        Encoded({"vector": x[:, None]}, {"vector": mask}, {"vector": [x, x]}, {"vector": x}),
    ]


def test_records_go_through_a_pytree_and_back(split):
    for record in records(split):
        leaves, shape = pytree.tree_flatten(record)
        assert all(isinstance(leaf, torch.Tensor) for leaf in leaves), "None is no leaf"
        again = pytree.tree_unflatten(leaves, shape)
        assert type(again) is type(record)
        assert equal(again, record)


def test_records_keep_what_is_none(split):
    withheld = pytree.tree_map(lambda x: x.clone(), split.withheld())
    assert withheld.target is None
    assert withheld.labelled is None


def test_records_go_into_and_out_of_vmap(split):
    for record in records(split):
        again = torch.vmap(lambda one: one)(record)
        assert equal(again, record)


def test_blanking_works_under_vmap(inputs):
    present = torch.rand(4, ROWS, 3, generator=torch.Generator().manual_seed(5)) > 0.5
    together = torch.vmap(lambda kept: inputs.keep(kept).values["sequence"])(present)
    for i in range(4):
        assert torch.equal(together[i], inputs.keep(present[i]).values["sequence"])


def test_encoded_vectors_stack_and_join_in_order():
    one, two = torch.zeros(2, 3), torch.ones(2, 3)
    encoded = Encoded({}, {}, {}, {"a": one, "b": two})
    assert torch.equal(encoded.stack(), torch.stack([one, two], 1))
    assert torch.equal(encoded.concat(), torch.cat([one, two], 1))
