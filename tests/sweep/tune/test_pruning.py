"""When a trial ends before its time."""

import pytest
import torch

from mmbench import Head, Modality, Task, Training
from mmbench.core.training import Stage
from mmbench.nn.models import FusionModel
from mmbench.nn.records import FusionOutput, Inputs, Split
from mmbench.sweep.tune.pruning import GRACE, PrunedError, bars, is_hopeless, lowest_so_far
from mmbench.sweep.tune.trial import Watch
from mmbench.train.run import CellRun

TASK = Task("classification", 2, (Modality("x", "vector", (2,)),))


def test_bars_are_medians_of_the_lowest_so_far():
    curves = [lowest_so_far(c) for c in ([3.0, 2.0, 2.5], [5.0, 4.0], [1.0], [])]
    assert curves[0] == (3.0, 2.0, 2.0)
    assert bars(curves) == (3.0, 2.0, 2.0)  # one that has ended counts with the lowest that it had
    assert bars(curves[:2]) == ()  # too few for a median


def test_every_training_gets_its_first_epochs():
    bar = (1.0,) * 5
    assert not is_hopeless([2.0] * (GRACE - 1), bar)
    assert is_hopeless([2.0] * GRACE, bar)
    assert not is_hopeless([0.9, *[2.0] * GRACE], bar)
    assert not is_hopeless([1.0] * GRACE, bar), "as good as the median is good enough"
    assert not is_hopeless([2.0] * GRACE, ())


class Line(FusionModel):
    def __init__(self):
        super().__init__()
        self.head = Head(TASK, 2)

    def forward(self, inputs):
        return FusionOutput(self.head(inputs.values["x"]))


def split(seed):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(64, 2, generator=draw)
    return Split(Inputs({"x": x}, torch.ones(64, 1, dtype=torch.bool)), (x[:, 0] > 0).long())


def train(watch, epochs=30):
    options = Training(batch=16, lr=1e-2, floor=epochs, stages=(Stage(epochs),))
    return CellRun(TASK, 0, watch=watch).train(Line, split(0), split(1), options)


def test_looking_on_changes_no_number():
    watch = Watch(())
    watched, alone = train(watch), train(None)
    assert watched.history == alone.history
    assert watch.criteria == alone.history.validation
    for one, other in zip(watched.model.parameters(), alone.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_training_that_is_behind_is_ended_and_one_that_has_come_to_its_end_is_not():
    watch = Watch((0.0,))
    with pytest.raises(PrunedError, match=f"after epoch {GRACE}"):
        train(watch)
    assert len(watch.criteria) == GRACE
    assert train(Watch((0.0,)), epochs=GRACE).history.epochs == GRACE
