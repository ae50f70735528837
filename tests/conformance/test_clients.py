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
    sizes={"probabilities": 3},
    class_names=("ant", "bee", "wasp"),
)
MANIFEST: Any = SimpleNamespace(file="model.tflite", class_names=CONTENTS.class_names)


def test_some_are_seen() -> None:
    assert "image_classifier" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_its_metadata_can_be_written_and_name_all_tensors(name: str) -> None:
    metadata = client_of(name).metadata(CONTENTS)
    assert isinstance(metadata, Metadata)
    assert [one.name for one in metadata.inputs] == CONTENTS.inputs
    assert [one.name for one in metadata.outputs] == list(CONTENTS.outputs)
    data = flat_tables.write(SCHEMA, "ModelMetadata", _tables(metadata), IDENTIFIER)
    assert flat_tables.read(SCHEMA, "ModelMetadata", data, IDENTIFIER)["name"] == "insects"


@pytest.mark.parametrize("name", NAMES)
def test_a_normalization_in_the_input_tensor_is_told_as_mean_and_deviation(name: str) -> None:
    (image,) = client_of(name).metadata(CONTENTS).inputs
    assert (*image.mean, *image.std) == (pytest.approx(127.5), pytest.approx(127.5))
    inside = Contents(**{**vars(CONTENTS), "normalization": None})
    (image,) = client_of(name).metadata(inside).inputs
    assert (*image.mean, *image.std) == (0, 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["kotlin", "swift"])
def test_its_lines_load_the_file_and_are_short(name: str, language: str) -> None:
    lines = getattr(client_of(name), language)(MANIFEST).splitlines()
    assert any("model" in line and "tflite" in line for line in lines)
    assert 5 < len(lines) <= 15


@pytest.mark.parametrize("name", NAMES)
def test_some_runtime_plays_it(name: str) -> None:
    runtimes: Iterator[Any] = map(room("runtimes").load, room("runtimes").names())
    assert any(runtime.clients and name in runtime.clients for runtime in runtimes)


def test_labels_that_do_not_fit_are_refused_and_a_yes_or_no_has_one() -> None:
    client = client_of("image_classifier")
    with pytest.raises(ProblemError, match="3 class names for an output of 4 values"):
        client.metadata(Contents(**{**vars(CONTENTS), "sizes": {"probabilities": 4}}))
    yes = Contents(**{**vars(CONTENTS), "sizes": {"probabilities": 1}, "class_names": ("no", "yes")})
    assert client.metadata(yes).outputs[0].labels == ("yes",)


def test_an_unknown_kind_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ProblemError, match="no client 'mind_reader'"):
        client_of("mind_reader")
