"""The sources that need no files: handwritten digits and drawn shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from cnnpipe.datasets.digits import Digits
from cnnpipe.datasets.synthetic_shapes import SyntheticShapes

HERE = Path()


def test_digits_are_those_of_scikit_learn() -> None:
    found = Digits().open(HERE)
    truth = load_digits()
    images = np.stack([example.read()["images"] for example in found.examples])
    assert [example.read()["labels"] for example in found.examples] == [str(label) for label in truth.target]
    assert images.dtype == np.uint8
    assert np.abs(images / 255 - truth.images / 16).max() <= 0.5 / 255 + 1e-9
    assert found.class_names == Digits().class_names() == tuple("0123456789")


def test_shapes_come_from_their_seed() -> None:
    def pictures(seed: int) -> list[bytes]:
        found = SyntheticShapes(examples=12, seed=seed).open(HERE)
        return [example.read()["images"].tobytes() for example in found.examples]

    assert pictures(0) == pictures(0)
    assert len(set(pictures(0) + pictures(1))) == 24


def test_more_shapes_leave_the_first_ones_as_they_are() -> None:
    few, many = (SyntheticShapes(examples=count).open(HERE).examples for count in (5, 9))
    assert all((a.read()["images"] == b.read()["images"]).all() for a, b in zip(few, many, strict=False))


def test_classes_take_turns() -> None:
    found = SyntheticShapes(examples=6, classes=("star", "circle")).open(HERE)
    assert [example.read()["labels"] for example in found.examples] == ["star", "circle"] * 3
    assert found.class_names == ("star", "circle")


def test_a_shape_is_one_class() -> None:
    with pytest.raises(ValueError, match="classes must be different shapes"):
        SyntheticShapes(classes=("star", "star"))


@pytest.mark.parametrize("number", range(4))
def test_boxes_and_masks_fit_the_picture(number: int) -> None:
    source = SyntheticShapes(examples=8, image_size=(40, 60), noise=0.0)
    example = source.open(HERE).examples[number].read()
    mask = example["segmentation_masks"] > 0
    (left, top, right, bottom), (label,) = example["bounding_boxes"]["boxes"][0], example["bounding_boxes"]["labels"]
    assert example["images"].shape == (40, 60, 3) and mask.shape == (40, 60)
    assert source.classes[label] == example["labels"]
    assert set(np.unique(example["segmentation_masks"])) == {0, label + 1}
    rows, columns = np.nonzero(mask)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (left, top, right, bottom)
    outside = example["images"][~mask].astype(int)
    inside = example["images"][mask].astype(int)
    assert np.abs(np.median(inside, 0) - np.median(outside, 0)).mean() > 60


def test_shapes_differ_in_what_makes_them_shapes() -> None:
    """A star covers less of its box than a circle does."""
    source = SyntheticShapes(examples=80, image_size=(64, 64), classes=("circle", "star"))
    shares: dict[str, list[float]] = {"circle": [], "star": []}
    for example in source.open(HERE).examples:
        raw = example.read()
        left, top, right, bottom = raw["bounding_boxes"]["boxes"][0]
        shares[raw["labels"]].append((raw["segmentation_masks"] > 0).sum() / ((right - left) * (bottom - top)))
    assert min(shares["circle"]) > 0.75 > 0.6 > max(shares["star"])


def test_several_shapes_are_all_seen_and_differ_in_number() -> None:
    source = SyntheticShapes(examples=40, objects=(0, 5), image_size=(64, 48))
    counts = set()
    for example in source.open(Path()).examples:
        raw = example.read()
        instances, labels = raw["instance_masks"], raw["bounding_boxes"]["labels"].tolist()
        counts.add(len(labels))
        assert np.unique(instances).tolist() in (list(range(len(labels) + 1)), list(range(1, len(labels) + 1)))
        assert raw["labels"] == tuple(source.classes[label] for label in sorted(set(labels)))
        for row, (left, top, right, bottom) in enumerate(raw["bounding_boxes"]["boxes"].astype(int).tolist(), 1):
            rows, columns = np.nonzero(instances == row)
            assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert counts >= {0, 1, 3, 5}


def test_shapes_are_never_hidden_by_more_than_half() -> None:
    source = SyntheticShapes(examples=60, objects=(5, 5), classes=("circle",), image_size=(64, 64))
    least = 0.5 * np.pi * (0.2 * 64 / 5**0.5) ** 2
    for example in source.open(Path()).examples:
        seen = np.bincount(example.read()["instance_masks"].ravel())[1:]
        assert seen.min() >= 0.9 * least


@pytest.mark.parametrize("objects", [(3, 1), (0, 0), (-1, 2)])
def test_numbers_of_shapes_that_mean_nothing_are_refused(objects: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="objects"):
        SyntheticShapes(objects=objects)
