"""Boxes and masks go where the picture goes, and come back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pillow

from cnnpipe.datasets import IGNORED
from cnnpipe.preprocessing.image import Image

SIZES = [(40, 60), (60, 40), (32, 32), (101, 33)]
RESIZES = ["stretch", "crop", "pad"]


def drawn(height: int, width: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
    left, top, right, bottom = box
    image = np.zeros((height, width, 3), np.uint8)
    image[top:bottom, left:right] = 255
    mask = (image[..., 0] > 0).astype(np.uint8)
    boxes = {"boxes": np.array([box], np.float32), "labels": np.array([0], np.int32)}
    return {
        "images": image,
        "bounding_boxes": boxes,
        "segmentation_masks": mask,
        "instance_masks": mask.astype(np.int32),
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resize", RESIZES)
def test_truth_lies_on_the_pixels_that_it_is_about(size: tuple[int, int], resize: str) -> None:
    height, width = size
    example = drawn(height, width, (width // 2 - 6, height // 2 - 8, width // 2 + 5, height // 2 + 7))
    spec = Image(image_size=(48, 64), resize=resize, interpolation="nearest")
    seen, truth = spec.apply(example["images"]), spec.placed(example)
    mask = truth["segmentation_masks"]
    bright = seen[..., 0] > 127
    assert mask.shape == (48, 64)
    assert ((mask == 1) == bright).mean() > 0.99
    left, top, right, bottom = truth["bounding_boxes"]["boxes"][0]
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert np.abs(np.array([left, top, right, bottom]) - found).max() <= 1
    assert np.array_equal(truth["instance_masks"] == 1, mask == 1)
    assert (IGNORED in mask) == (resize == "pad" and height * 64 != width * 48)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resize", RESIZES)
def test_what_is_moved_comes_back(size: tuple[int, int], resize: str) -> None:
    example = drawn(*size, (10, 12, 24, 25))
    spec = Image(image_size=(480, 640), resize=resize)
    placement = spec.placement(example["images"])
    boxes = example["bounding_boxes"]["boxes"]
    assert np.abs(placement.restore_boxes(placement.move_boxes(boxes)) - boxes).max() < 1e-3
    mask = placement.restore_mask(placement.move_mask(example["segmentation_masks"], IGNORED), IGNORED)
    known = mask != IGNORED
    assert np.array_equal(mask[known], example["segmentation_masks"][known])
    assert known.all() or resize == "crop"


def test_boxes_that_are_cut_away_leave_with_their_instances() -> None:
    example = drawn(20, 80, (0, 0, 10, 10))
    example["bounding_boxes"] = {
        "boxes": np.array([[0, 0, 10, 10], [35, 5, 45, 15], [60, 0, 80, 20]], np.float32),
        "labels": np.array([2, 1, 0], np.int32),
        "crowd": np.array([False, True, False]),
    }
    example["instance_masks"] = np.zeros((20, 80), np.int32)
    for number, (left, top, right, bottom) in enumerate(example["bounding_boxes"]["boxes"].astype(int), start=1):
        example["instance_masks"][top:bottom, left:right] = number
    truth = Image(image_size=(20, 20), resize="crop").placed(example)
    assert truth["bounding_boxes"]["labels"].tolist() == [1]
    assert truth["bounding_boxes"]["crowd"].tolist() == [True]
    assert truth["bounding_boxes"]["boxes"].tolist() == [[5, 5, 15, 15]]
    assert set(np.unique(truth["instance_masks"])) == {0, 1}


def test_a_picture_that_lies_on_its_side_is_placed_upright() -> None:
    stream = io.BytesIO()
    exif = pillow.Exif()
    exif[0x0112] = 6
    pillow.fromarray(np.zeros((20, 60, 3), np.uint8)).save(stream, "JPEG", exif=exif)
    assert Image(image_size=(32, 32)).placement(stream.getvalue()).size == (60, 20)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(30, 60), st.integers(30, 60)),
    slope=st.floats(-1.5, 1.5),
    start=st.integers(0, 40),
    resize=st.sampled_from(RESIZES),
)
def test_the_box_of_a_cut_instance_is_that_of_what_is_left(
    size: tuple[int, int], slope: float, start: int, resize: str
) -> None:
    """A slanted bar: where its end is cut off, its old box would reach over the empty corner."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    mask = (np.abs(rows - start - slope * columns) < 4).astype(np.int32)
    if not mask.any():
        return
    left, top = np.argwhere(mask).min(0)[::-1]
    right, bottom = np.argwhere(mask).max(0)[::-1] + 1
    example = drawn(height, width, (left, top, right, bottom)) | {"instance_masks": mask}
    spec = Image(image_size=(40, 40), resize=resize)
    truth = spec.placed(example)
    plain = spec.placed({key: value for key, value in example.items() if key != "instance_masks"})
    (moved,) = spec.placement(example["images"]).move_boxes(example["bounding_boxes"]["boxes"])
    shown = truth["instance_masks"] == 1
    if not len(truth["bounding_boxes"]["boxes"]):
        assert not shown.any() or np.ptp(np.argwhere(shown), axis=0).min() == 0
        return
    (box,) = truth["bounding_boxes"]["boxes"]
    if np.abs(plain["bounding_boxes"]["boxes"][0] - moved).max() < 1e-3:
        assert np.array_equal(box, plain["bounding_boxes"]["boxes"][0])
    seen = np.argwhere(shown)
    assert np.abs(box - [*seen.min(0)[::-1], *seen.max(0)[::-1] + 1]).max() <= 1


def test_a_cut_instance_that_is_seen_nowhere_has_no_box() -> None:
    example = drawn(40, 80, (0, 0, 40, 40))
    example["instance_masks"][:, 10:] = 0  # an object of which only the left end is there, beyond the crop
    truth = Image(image_size=(40, 40), resize="crop").placed(example)
    assert not len(truth["bounding_boxes"]["boxes"])
    assert not truth["instance_masks"].any()
