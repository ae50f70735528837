"""Boxes and masks of TensorFlow Datasets, from records as that library itself writes them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe.datasets import Examples
from cnnpipe.datasets.tfds import Tfds
from cnnpipe.errors import ProblemError

BOXES = {"label_key": "objects/label", "box_key": "objects/bbox"}
MASKS = {"mask_key": "mask", "mask_classes": {"pet": 1}, "mask_background": 2, "mask_ignore": 3}
Source = dict[str, Any]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures, 40x20: one with two boxes, one with a box of no area."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("prepared")
    home = folder / "own" / "1.0.0"
    home.mkdir(parents=True)
    item = {
        "bbox": tfds.features.BBoxFeature(),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
        "is_crowd": np.bool_,
    }
    features = tfds.features.FeaturesDict({
        "image": tfds.features.Image(), "objects": tfds.features.Sequence(item),
        "mask": tfds.features.Image(shape=(None, None, 1)),
    })  # fmt: skip
    features.save_config(str(home))
    box = tfds.features.BBox(ymin=0.1, xmin=0.25, ymax=0.5, xmax=1.0)
    mask = np.tile(np.array([1, 2, 3, 2], np.uint8), (20, 10))[..., None]
    objects = [
        [{"bbox": box, "label": "dog", "is_crowd": False}, {"bbox": box, "label": "cat", "is_crowd": True}],
        [{"bbox": tfds.features.BBox(0.1, 0.2, 0.1, 0.4), "label": "cat", "is_crowd": False}],
    ]
    with tf.io.TFRecordWriter(str(home / "own-train.tfrecord-00000-of-00001")) as writer:
        for found in objects:
            picture = {"image": np.full((20, 40, 3), 90, np.uint8), "objects": found, "mask": mask}
            writer.write(features.serialize_example(features.encode_example(picture)))
    template = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
    split = {"filepathTemplate": template, "name": "train", "shardLengths": ["2"]}
    info = {"name": "own", "version": "1.0.0", "fileFormat": "tfrecord", "splits": [split]}
    (home / "dataset_info.json").write_text(json.dumps(info))
    return folder


def opened(folder: Path, **fields: Any) -> tuple[Tfds, Examples]:
    source = Tfds.model_validate({"name": "own", "data_dir": str(folder), **fields})
    return source, source.open(folder)


def test_boxes_become_pixels_with_their_classes(prepared: Path) -> None:
    source, found = opened(prepared, **BOXES)
    raw = found.examples[0].read()
    assert set(raw) == source.gives() == {"images", "labels", "bounding_boxes"}
    assert found.class_names == source.class_names() == ("cat", "dog")
    np.testing.assert_allclose(raw["bounding_boxes"]["boxes"], [[10, 2, 40, 10]] * 2, atol=1e-5)
    assert raw["bounding_boxes"]["labels"].tolist() == [1, 0] and raw["labels"] == ("cat", "dog")
    assert Image.open(io.BytesIO(raw["images"])).size == (40, 20)


def test_crowds_are_marked(prepared: Path) -> None:
    _, found = opened(prepared, **BOXES, crowd_key="objects/is_crowd")
    assert found.examples[0].read()["bounding_boxes"]["crowd"].tolist() == [False, True]


def test_a_box_without_area_cannot_be_read(prepared: Path) -> None:
    _, found = opened(prepared, **BOXES)
    with pytest.raises(ValueError, match="its box 0 has no area"):
        found.examples[1].read()


def test_masks_have_a_table_of_classes(prepared: Path) -> None:
    source, found = opened(prepared, **MASKS)
    raw = found.examples[0].read()
    assert set(raw) == source.gives() == {"images", "labels", "segmentation_masks"}
    assert raw["segmentation_masks"][0, :4].tolist() == [1, 0, 255, 0] and raw["segmentation_masks"].shape == (20, 40)
    assert found.class_names == source.class_names() == raw["labels"] == ("pet",)


def test_masks_with_other_numbers_cannot_be_read(prepared: Path) -> None:
    _, found = opened(prepared, mask_key="mask", mask_classes=("pet",))
    with pytest.raises(ValueError, match="its mask holds 2, which is no class of the source, in 400 pixels"):
        found.examples[0].read()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({**BOXES, "box_key": "objects/box"}, "the feature 'objects/box' of 'own/1.0.0' does not exist, and "
         "BBoxFeature is needed. Its features: "),
        ({**BOXES, "box_key": "bbox"}, "objects/bbox (BBoxFeature)"),
        ({**BOXES, "label_key": "objects/bbox"}, "the feature 'objects/bbox' of 'own/1.0.0' is BBoxFeature, and "
         "ClassLabel is needed"),
        ({**BOXES, "crowd_key": "crowd"}, "the feature 'crowd' of 'own/1.0.0' does not exist, and a truth value "
         "is needed"),
        ({**MASKS, "mask_key": "objects"}, "the feature 'objects' of 'own/1.0.0' is FeaturesDict, and Image is needed"),
    ],
)  # fmt: skip
def test_features_that_are_not_there_are_told(prepared: Path, fields: Source, expected: str) -> None:
    with pytest.raises(ProblemError) as caught:
        opened(prepared, **fields)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({**BOXES, **MASKS}, "give mask_key or box_key"), ({"mask_key": "mask"}, "mask_key needs mask_classes")],
)
def test_settings_that_contradict_are_refused(fields: Source, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Tfds.model_validate({"name": "own", **fields})
    assert "because mask_key is null" in Tfds(name="own", mask_ignore=3).ignored_keys()["mask_ignore"]
