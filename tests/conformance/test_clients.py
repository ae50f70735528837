"""Every kind of client says what its library reads in a file, and how it is asked on both kinds of phone."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cnnpipe import flat_tables
from cnnpipe.clients import ROOM, Contents, client_of
from cnnpipe.errors import ProblemError
from cnnpipe.litert_metadata import IDENTIFIER, SCHEMA, Metadata, _tables
from cnnpipe.registry import room

NAMES = ROOM.names()
CONTENTS = Contents(
    name="insects",
    inputs=["image"],
    normalization=(1 / 127.5, -1.0),
    outputs={"probabilities": "probability of each class"},
    shapes={"probabilities": (3,)},
    class_names=("ant", "bee", "wasp"),
    decoding={
        "input_size": (32, 16),
        "levels": {"P3": (2, 2), "P4": (1, 1)},
        "anchor_scale": 4.0,
        "middle": 3.0,
        "iou_threshold": 0.3,
        "suppression": "across_classes",
    },
)
SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "image_classifier": {"probabilities": (3,)},
    "image_segmenter": {"probabilities": (8, 8, 4)},
    "object_detector": {"boxes": (5, 4), "scores": (5, 3)},
}
"""Outputs of a file for each client, of the three classes above."""
MANIFEST: Any = SimpleNamespace(
    file="model.tflite", class_names=CONTENTS.class_names, decoding={"score_threshold": 0.25}
)


def contents(name: str, **changed: Any) -> Contents:
    outputs = dict.fromkeys(SHAPES[name], "what it holds")
    return Contents(**{**vars(CONTENTS), "outputs": outputs, "shapes": SHAPES[name], **changed})


def test_all_are_seen() -> None:
    assert set(SHAPES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_metadata_can_be_written_and_name_all_tensors(name: str) -> None:
    metadata = client_of(name).metadata(contents(name))
    assert isinstance(metadata, Metadata)
    assert [one.name for one in metadata.inputs] == CONTENTS.inputs
    assert [one.name for one in metadata.outputs] == list(SHAPES[name])
    data = flat_tables.write(SCHEMA, "ModelMetadata", _tables(metadata), IDENTIFIER)
    assert flat_tables.read(SCHEMA, "ModelMetadata", data, IDENTIFIER)["name"] == "insects"


@pytest.mark.parametrize("name", NAMES)
def test_a_normalization_in_the_input_tensor_is_told_as_mean_and_deviation(name: str) -> None:
    (image,) = client_of(name).metadata(contents(name)).inputs
    assert (*image.mean, *image.std) == (pytest.approx(127.5), pytest.approx(127.5))
    (image,) = client_of(name).metadata(contents(name, normalization=None)).inputs
    assert (*image.mean, *image.std) == (0, 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["kotlin", "swift"])
def test_its_lines_load_the_file_and_are_short(name: str, language: str) -> None:
    lines = getattr(client_of(name), language)(MANIFEST).splitlines()
    assert any("model" in line and "tflite" in line for line in lines)
    assert 5 < len(lines) <= 20


@pytest.mark.parametrize("name", NAMES)
def test_some_runtime_plays_it(name: str) -> None:
    runtimes: Iterator[Any] = map(room("runtimes").load, room("runtimes").names())
    assert any(runtime.clients and name in runtime.clients for runtime in runtimes)


def test_a_detector_with_another_suppression_than_the_library_is_refused() -> None:
    decoding = {**CONTENTS.decoding, "iou_threshold": 0.6}
    with pytest.raises(ProblemError, match=r"iou_threshold 0\.6"):
        client_of("object_detector").metadata(contents("object_detector", decoding=decoding))


def test_labels_that_do_not_fit_are_refused_and_a_yes_or_no_has_one() -> None:
    client = client_of("image_classifier")
    with pytest.raises(ProblemError, match="3 class names for an output of 4 values"):
        client.metadata(contents("image_classifier", shapes={"probabilities": (4,)}))
    yes = contents("image_classifier", shapes={"probabilities": (1,)}, class_names=("no", "yes"))
    assert client.metadata(yes).outputs[0].labels == ("yes",)


def test_a_mask_has_a_label_for_each_channel_and_the_background_is_one() -> None:
    client = client_of("image_segmenter")
    labels = client.metadata(contents("image_segmenter")).outputs[0].labels
    assert labels == ("background", "ant", "bee", "wasp")
    every = contents("image_segmenter", shapes={"probabilities": (8, 8, 3)})
    assert client.metadata(every).outputs[0].labels == CONTENTS.class_names
    with pytest.raises(ProblemError, match="3 class names for an output of 5 channels"):
        client.metadata(contents("image_segmenter", shapes={"probabilities": (8, 8, 5)}))


def test_an_unknown_kind_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ProblemError, match="no client 'mind_reader'"):
        client_of("mind_reader")


def test_a_list_of_objects_needs_no_anchors_and_has_labels_of_numbers() -> None:
    shapes: dict[str, tuple[int, ...]] = {"location": (9, 4), "category": (9,), "score": (9,), "count": ()}
    given = {"outputs": dict.fromkeys(shapes, "what it holds"), "shapes": shapes, "decoding": {}}
    client = client_of("object_detector")
    location, category, score, count = client.metadata(contents("object_detector", **given)).outputs
    assert (location.boxes, location.edges) == (True, (1, 0, 3, 2))
    assert (category.labels, category.numbered) == (CONTENTS.class_names, True)
    assert not score.labels and not count.labels
    given["shapes"] = {**shapes, "count": (1,)}
    with pytest.raises(ProblemError, match="a list of objects of location, category, score, count"):
        client.metadata(contents("object_detector", **given))
