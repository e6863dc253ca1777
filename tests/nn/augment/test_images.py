"""Known pictures, flipped, moved, rotated and scaled."""

import math

import pytest
import torch
from torch.func import vmap

from mmbench import Inputs, Modality, Task
from mmbench.nn.augment.images import moved, warped
from mmbench.testing.samples import make_split, make_task

PICTURE = torch.arange(1.0, 7.0).reshape(1, 1, 2, 3)
TASK = make_task("classification", "image frames vector")


def test_a_flip_mirrors_left_and_right(make, apply):
    inputs = make_split(TASK, 6).inputs
    found = apply(make("flip", TASK, p=1.0), inputs)
    for name in ("image0", "frames1"):
        assert torch.equal(found.values[name], inputs.values[name].flip(-1))
    assert torch.equal(found.values["vector2"], inputs.values["vector2"])


def test_a_flip_changes_half_of_the_samples(make, apply):
    inputs = make_split(TASK, 2000).inputs
    found = apply(make("flip", TASK), inputs)
    changed = (found.values["image0"] != inputs.values["image0"]).flatten(1).any(1)
    assert 0.45 < float(changed.float().mean()) < 0.55


def test_a_picture_is_moved_and_zero_fills_what_is_bare():
    one = torch.ones(1)
    assert moved(PICTURE, -1, one).tolist() == [[[[0, 1, 2], [0, 4, 5]]]]
    assert moved(PICTURE, -2, -one).tolist() == [[[[4, 5, 6], [0, 0, 0]]]]
    assert torch.equal(moved(PICTURE, -1, 0 * one), PICTURE)
    assert not bool(moved(PICTURE, -1, 3 * one).any())


def test_a_crop_is_a_part_of_the_padded_picture(make, apply):
    inputs = make_split(TASK, 50).inputs
    found = apply(make("crop", TASK, share=0.25), inputs).values["image0"]
    padded = torch.nn.functional.pad(inputs.values["image0"], (2, 2, 2, 2))
    places = set()
    for row in range(50):
        fits = [
            (i, j) for i in range(5) for j in range(5) if torch.equal(padded[row, :, i : i + 8, j : j + 8], found[row])
        ]
        assert len(fits) == 1
        places.add(fits[0])
    assert len(places) > 10


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rotation_by_zero_and_size_one_leave_a_picture_as_it_is(dtype):
    values = torch.randn(4, 2, 5, 9, dtype=dtype)
    torch.testing.assert_close(warped(values, torch.zeros(4), torch.ones(4)), values, atol=1e-5, rtol=0)


@pytest.mark.parametrize("quarters", [-1, 1, 2])
def test_rotation_by_quarters_is_counter_clockwise(quarters):
    values = torch.randn(3, 2, 6, 6)
    found = warped(values, torch.full((3,), quarters * math.pi / 2), torch.ones(3))
    torch.testing.assert_close(found, torch.rot90(values, quarters, (-2, -1)), atol=1e-5, rtol=0)


def test_pixels_are_square_in_a_wide_picture():
    """A rotation by a right angle keeps the middle square of a wide picture, turned."""
    values = torch.randn(1, 1, 4, 8)
    found = warped(values, torch.full((1,), math.pi / 2), torch.ones(1))
    torch.testing.assert_close(found[..., 2:6], torch.rot90(values[..., 2:6], 1, (-2, -1)), atol=1e-5, rtol=0)
    assert float(found[..., :2].abs().max()) < 1e-4


def test_twice_the_size_shows_the_middle_and_half_the_size_all():
    values = torch.zeros(1, 1, 8, 8)
    values[..., 2:6, 2:6] = 1
    assert float(warped(values, torch.zeros(1), torch.full((1,), 2.0))[..., 1:7, 1:7].min()) == 1
    half = warped(values, torch.zeros(1), torch.full((1,), 0.5))
    assert float(half[..., 3:5, 3:5].min()) == 1
    assert float(half.sum()) == 4


def test_rotations_and_sizes_stay_within_their_bounds(make, apply):
    """Of a picture that is a plane, values say which angle and size it has."""
    across = torch.arange(33.0) - 16
    plane = torch.stack([across.expand(33, 33), across[:, None].expand(33, 33)]).expand(300, 2, 33, 33)
    task = Task("classification", 2, (Modality("image0", "image", (2, 33, 33)),))
    inputs = Inputs({"image0": plane}, torch.ones(300, 1, dtype=torch.bool))
    for name, degrees, change in (("rotate", 15, 0), ("scale", 0, 0.2), ("warp", 15, 0.2)):
        seen = apply(make(name, task), inputs).values["image0"]
        x, y = (seen[:, :, 16, 17] - seen[:, :, 16, 16]).unbind(1)
        angle, size = torch.rad2deg(torch.atan2(y, x)), 1 / torch.hypot(x, y)
        assert float(angle.abs().max()) < degrees + 1e-3
        assert float((size - 1).abs().max()) < change + 1e-3
        assert float(angle.abs().max()) > 0.9 * degrees - 1e-3
        assert float((size - 1).abs().max()) > 0.9 * change - 1e-3


def test_all_frames_of_a_video_change_alike(make, apply):
    task = make_task("classification", "frames")
    inputs = make_split(task, 8).inputs
    inputs.values["frames0"] = torch.randn(8, 1, 2, 6, 6).expand(8, 4, 2, 6, 6)
    inputs.lengths["frames0"] = torch.full((8,), 4)
    found = apply(make("warp", task), inputs).values["frames0"]
    torch.testing.assert_close(found, found[:, :1].expand_as(found))
    assert not torch.allclose(found, inputs.values["frames0"])


def test_interpolation_is_the_same_under_vmap():
    values, angle, factor = torch.randn(3, 5, 2, 6, 7), torch.rand(3, 5), 0.8 + 0.4 * torch.rand(3, 5)
    found = vmap(warped)(values, angle, factor)
    each = torch.stack([warped(*row) for row in zip(values, angle, factor, strict=True)])
    torch.testing.assert_close(found, each)
