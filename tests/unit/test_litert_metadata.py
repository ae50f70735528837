"""Labels and normalization inside a `.tflite` file: written, read again, and refused when damaged."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.litert_file import packed, read
from cnnpipe.litert_metadata import LARGEST_FILE, FeatureOutput, ImageInput, Metadata, attach, read_metadata

LABELS = ("ant", "Biene", "蜂")
METADATA = Metadata(
    "insects",
    "Which insect?",
    (ImageInput("image", "An RGB picture", (127.5,), (127.5,)),),
    (FeatureOutput("probabilities", "probability of each class", LABELS),),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A model of one tensor, which is its input and its output, and no metadata."""
    from ai_edge_litert import schema_py_generated as schema

    model, graph, tensor = schema.ModelT(), schema.SubGraphT(), schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = "image", [1, 4], 0
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
    model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], [schema.BufferT()], []
    made = tmp_path / "model.tflite"
    made.write_bytes(packed(model))
    return made


def test_what_is_attached_is_read(file: Path) -> None:
    assert read_metadata(file) is None
    attach(file, METADATA)
    assert read_metadata(file) == METADATA


def test_outputs_without_labels_have_no_file(file: Path) -> None:
    bare = Metadata("m", "", METADATA.inputs, (FeatureOutput("a", "", None), FeatureOutput("b", "", LABELS)))
    attach(file, bare)
    assert read_metadata(file) == bare
    assert zipfile.ZipFile(file).namelist() == ["b_labels.txt"]


def test_the_archive_is_stored_and_dated_so_that_the_bytes_are_always_the_same(file: Path) -> None:
    before = file.read_bytes()
    attach(file, METADATA)
    once = file.read_bytes()
    (entry,) = zipfile.ZipFile(file).infolist()
    assert (entry.compress_type, entry.date_time, entry.create_system) == (0, (1980, 1, 1, 0, 0, 0), 3)
    file.write_bytes(before)
    attach(file, METADATA)
    assert file.read_bytes() == once


def test_the_model_is_the_same_to_those_who_read_no_metadata(file: Path) -> None:
    attach(file, METADATA)
    model = read(file.read_bytes())
    assert [tensor.name for tensor in model.subgraphs[0].tensors] == [b"image"]
    assert list(model.subgraphs[0].inputs) == [0]


def _with_archive(file: Path, archive: bytes) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: data.index(b"PK\x03\x04")] + archive)


def _zip(content: bytes, name: str = "labels.txt", method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (b"", "labels.txt, which is not inside"),
        (_zip(b"ant\n", "../labels.txt"), "labels.txt, which is not inside"),
        (_zip(b"\xff\xfe"), "damaged metadata"),
        (_zip(bytes(LARGEST_FILE + 1), method=zipfile.ZIP_DEFLATED), "more than"),
    ],
)
def test_an_archive_that_is_not_right_is_told(file: Path, archive: bytes, message: str) -> None:
    attach(file, METADATA)
    _with_archive(file, archive)
    with pytest.raises(ProblemError, match=message):
        read_metadata(file)


def test_damaged_tables_are_told(file: Path) -> None:
    attach(file, METADATA)
    data = bytearray(file.read_bytes())
    start = data.index(b"M001") - 4
    data[start : start + 4] = b"\xff\xff\xff\x7f"
    file.write_bytes(bytes(data))
    with pytest.raises(ProblemError, match="damaged metadata"):
        read_metadata(file)


def test_edges_of_boxes_and_labels_of_numbers_are_read_as_written(file: Path) -> None:
    outputs = (
        FeatureOutput("location", "where", None, boxes=True, edges=(1, 0, 3, 2)),
        FeatureOutput("category", "what", LABELS, numbered=True),
        FeatureOutput("probabilities", "how sure", LABELS),
    )
    metadata = replace(METADATA, outputs=outputs)
    attach(file, metadata)
    assert read_metadata(file) == metadata
