"""Folders of masks: numbers, palettes, colours and instances; splits by folders and lists; mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe.datasets import IGNORED
from cnnpipe.datasets.mask_folder import MaskFolder

RED, BLUE, BLACK = (255, 0, 0), (0, 0, 255), (0, 0, 0)
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, picture: Callable[..., Path]) -> Write:
    """Return a function that writes a picture as large as its mask, and the mask: `write(mask)`."""

    def make(mask: Any, name: str = "a", images: str = "images", masks: str = "masks", mode: str | None = None) -> Path:
        pixels = np.asarray(mask)
        picture(tmp_path / images / f"{name}.jpg", pixels.shape[1], pixels.shape[0])
        (tmp_path / masks).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint8), mode).save(
            tmp_path / masks / f"{name}.png"
        )
        return tmp_path

    return make


def read(folder: Path, **fields: Any) -> dict[str, Any]:
    (example,) = MaskFolder.model_validate({"path": ".", **fields}).open(folder).examples
    return dict(example.read())


def numbers(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.uint8)


def test_numbers_are_classes_in_order(write: Write) -> None:
    raw = read(write(numbers([0, 1], [2, 255])), classes=("cat", "dog"), ignore=255)
    assert raw["segmentation_masks"].tolist() == [[0, 1], [2, IGNORED]]
    assert raw["labels"] == ("cat", "dog") and set(raw) == {"images", "labels", "segmentation_masks"}


def test_a_table_gives_numbers_their_meaning(write: Write) -> None:
    raw = read(write(numbers([0, 7], [9, 7])), classes={"dog": 9, "cat": 0}, background=7)
    assert raw["segmentation_masks"].tolist() == [[2, 0], [1, 0]]


def test_palettes_count_as_numbers_or_as_colours(write: Write, tmp_path: Path) -> None:
    folder = write(numbers([0, 1], [2, 2]))
    palette = Image.fromarray(numbers([0, 1], [2, 2]), "P")
    palette.putpalette([*BLACK, *RED, *BLUE])
    palette.save(tmp_path / "masks" / "a.png")
    assert read(folder, classes=("cat", "dog"))["segmentation_masks"].tolist() == [[0, 1], [2, 2]]
    assert read(folder, classes={"cat": BLUE, "dog": RED})["segmentation_masks"].tolist() == [[0, 2], [1, 1]]


def test_colours_have_a_table(write: Write) -> None:
    folder = write([[BLACK, RED], [BLUE, (9, 9, 9)]])
    raw = read(folder, classes={"cat": RED, "dog": BLUE}, ignore=(9, 9, 9))
    assert raw["segmentation_masks"].tolist() == [[0, 1], [2, IGNORED]]


def test_gray_in_colour_counts_as_numbers(write: Write) -> None:
    assert read(write([[(1, 1, 1), BLACK]]), classes=("cat",))["segmentation_masks"].tolist() == [[1, 0]]


def test_instances_are_numbered_anew_and_have_boxes(write: Write) -> None:
    mask = np.zeros((6, 8), np.uint16)
    mask[1:3, 2:5], mask[4:6, 0:2], mask[0, 7] = 3000, 40, 65535
    raw = read(write(mask), classes=("cell",), mask_type="instances", ignore=65535)
    assert raw["bounding_boxes"]["boxes"].tolist() == [[0, 4, 2, 6], [2, 1, 5, 3]]
    assert raw["bounding_boxes"]["labels"].tolist() == [0, 0] and raw["labels"] == ("cell",)
    assert np.array_equal(raw["instance_masks"], (mask == 40) + 2 * (mask == 3000))
    assert np.array_equal(raw["segmentation_masks"], np.where(mask == 65535, IGNORED, mask > 0))


def test_instances_may_be_colours(write: Write) -> None:
    raw = read(write([[BLACK, RED], [BLUE, RED]]), classes=("cell",), mask_type="instances", background=BLACK)
    assert raw["instance_masks"].tolist() == [[0, 2], [1, 2]]


def test_an_empty_mask_has_no_instances(write: Write) -> None:
    raw = read(write(np.zeros((4, 4))), classes=("cell",), mask_type="instances")
    assert raw["bounding_boxes"]["boxes"].shape == (0, 4) and raw["labels"] == () and not raw["instance_masks"].any()


@pytest.mark.parametrize("places", [("train/images", "train/masks"), ("images/train", "masks/train")])
def test_folders_tell_the_splits(write: Write, places: tuple[str, str]) -> None:
    for split in ("train", "val"):
        folder = write(numbers([0, 1]), split, *(place.replace("train", split) for place in places))
    found = MaskFolder(path=".", classes=("cat",)).open(folder)
    assert [(e.name, e.split) for e in found.examples] == [
        (f"{places[0]}/train.jpg", "training"), (f"{places[0].replace('train', 'val')}/val.jpg", "validation"),
    ]  # fmt: skip


def test_lists_tell_the_splits(write: Write) -> None:
    for name in ("a", "b", "c"):
        folder = write(numbers([0, 1]), name)
    (folder / "sets").mkdir()
    (folder / "sets" / "train.txt").write_text("b\n")
    (folder / "sets" / "test.txt").write_text("a\n")
    found = MaskFolder(path=".", classes=("cat",), lists="sets").open(folder)
    assert [(e.name, e.split) for e in found.examples] == [("b", "training"), ("a", "test")]


def test_masks_may_have_longer_names_and_no_picture(write: Write) -> None:
    folder = write(numbers([0, 1]))
    (folder / "masks" / "a.png").rename(folder / "masks" / "a_mask.png")
    Image.fromarray(numbers([0, 1])).save(folder / "masks" / "b_mask.png")
    found = MaskFolder(path=".", classes=("cat",), mask_suffix="_mask").open(folder)
    assert len(found.examples) == 1 and found.notes == (
        f"Masks in {folder}/masks without a picture: 1, such as b_mask.png.",
    )


@pytest.mark.parametrize(
    ("mask", "fields", "expected"),
    [
        (numbers([0, 1], [1, 3]), {"classes": ("cat", "dog")}, "holds 3, which is no class of the source, in 1 pixels, "
         "the first at column 1, row 1; add it to classes, or set ignore or background to it"),
        ([[BLACK, BLUE]], {"classes": {"cat": RED}}, r"holds \[0, 0, 255\], which is no class"),
        ([[BLACK, BLUE]], {"classes": ("cat",)}, "holds colours, and classes, background and ignore are numbers"),
        (np.zeros((2, 2), np.uint16), {"classes": {"cat": RED}}, "holds numbers, not colours"),
    ],
)  # fmt: skip
def test_masks_that_mean_nothing_cannot_be_read(write: Write, mask: Any, fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        read(write(mask), **fields)


def test_masks_of_another_size_and_broken_ones_cannot_be_read(write: Write, picture: Callable[..., Path]) -> None:
    folder = write(numbers([0, 1]))
    picture(folder / "images" / "a.jpg", 3, 3)
    with pytest.raises(ValueError, match="has 2x1 pixels, and the picture 3x3"):
        read(folder, classes=("cat",))
    (folder / "masks" / "a.png").write_bytes(b"no mask")
    with pytest.raises(ValueError, match="is no image"):
        read(folder, classes=("cat",))


def test_pictures_without_masks_are_told(write: Write, problems: Callable[..., str]) -> None:
    folder = write(numbers([0, 1]))
    (folder / "masks" / "a.png").rename(folder / "masks" / "a.jpg")
    said = problems(MaskFolder, {"path": ".", "classes": ("cat",)})
    assert said == (
        "data.source.masks: 1 of 1 pictures have no mask in masks, such as a.jpg. masks/a.jpg is a JPEG, which changes "
        "numbers and colours: masks must be saved without loss, as PNG."
    )
    (folder / "masks" / "a.jpg").unlink()
    assert "set mask_suffix where names differ" in problems(MaskFolder, {"path": ".", "classes": ("cat",)})
    assert "has no folder 'photos'. It needs 'photos' and 'masks', or train/photos" in problems(
        MaskFolder, {"path": ".", "classes": ("cat",), "images": "photos"}
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"classes": ("cat", "dog"), "mask_type": "instances"}, "masks of instances are of one class"),
        ({"classes": {"cat": 1}, "mask_type": "instances"}, "have no number for a class"),
        ({"classes": {"cat": 1, "dog": RED}}, "must all be numbers, or all colours"),
        ({"classes": {"cat": 1, "dog": 1}}, "1 has two meanings"),
        ({"classes": ("cat",), "ignore": 1}, "1 has two meanings"),
        ({"classes": ("cat", "cat")}, "classes must have different names"),
        ({"classes": {"cat": (1, 2, 256)}}, "classes"),
    ],
)
def test_settings_that_contradict_are_refused(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        MaskFolder.model_validate({"path": ".", **fields})


@pytest.mark.real_data
def test_label_images_of_nuclei_are_read_with_their_splits(real_data: Path) -> None:
    fields = {"path": "dsb2018-nuclei-256", "masks": "labels", "mask_type": "instances", "classes": ("nucleus",)}
    found = MaskFolder.model_validate(fields).open(real_data)
    assert [sum(e.split == s for e in found.examples) for s in ("training", "validation", "test")] == [221, 51, 62]
    test = (example.read() for example in found.examples if example.split == "test")
    assert sum(len(raw["bounding_boxes"]["boxes"]) for raw in test) == 1908
