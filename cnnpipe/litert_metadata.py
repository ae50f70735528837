"""Metadata inside a `.tflite` file: labels and normalization, for client libraries such as MediaPipe Tasks.

The schema is LiteRT's own (`metadata_schema.fbs`, identifier M001): a buffer of the model called `TFLITE_METADATA`
describes every input and output, and a ZIP archive behind the model holds the files that it names. Runtimes that do not
read it ignore both.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnpipe import flat_tables
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.litert_file import packed, read

ENTRY, IDENTIFIER, LABELS = "TFLITE_METADATA", b"M001", "labels.txt"
PARSER, PARSER_OF_CUSTOM = "1.0.0", "1.5.0"
"""The oldest parsers that know all that is written here, without and with custom metadata."""
LARGEST_FILE = 4 * 2**20
"""Bytes up to which a file of the archive is read."""
_AXIS_LABELS, _VALUE_LABELS, _RGB, _BOUNDARIES = 2, 3, 1, 1
_TENSOR = {
    "name": "string", "description": "string", "dimension_names": "[string]", "content": "Content",
    "process_units": "[ProcessUnit]", "stats": "Stats", "associated_files": "[AssociatedFile]",
}  # fmt: skip
SCHEMA: flat_tables.Schema = {
    "ModelMetadata": {
        "name": "string", "description": "string", "version": "string", "subgraph_metadata": "[SubGraphMetadata]",
        "author": "string", "license": "string", "associated_files": "[AssociatedFile]", "min_parser_version": "string",
    },
    "SubGraphMetadata": {
        "name": "string", "description": "string", "input_tensor_metadata": "[TensorMetadata]",
        "output_tensor_metadata": "[TensorMetadata]", "associated_files": "[AssociatedFile]",
        "input_process_units": "[ProcessUnit]", "output_process_units": "[ProcessUnit]",
        "input_tensor_groups": "[TensorGroup]", "output_tensor_groups": "[TensorGroup]",
        "custom_metadata": "[CustomMetadata]",
    },
    "TensorGroup": {"name": "string", "tensor_names": "[string]"},
    "CustomMetadata": {"name": "string", "data": "[ubyte]"},
    "TensorMetadata": _TENSOR,
    "Content": {"content_properties": "union FeatureProperties ImageProperties BoundingBoxProperties"},
    "FeatureProperties": {},
    "ImageProperties": {"color_space": "byte"},
    "BoundingBoxProperties": {"index": "[uint]", "type": "byte", "coordinate_type": "byte"},
    "ProcessUnit": {"options": "union NormalizationOptions"},
    "NormalizationOptions": {"mean": "[float]", "std": "[float]"},
    "Stats": {"max": "[float]", "min": "[float]"},
    "AssociatedFile": {"name": "string", "description": "string", "type": "byte"},
}  # fmt: skip


@dataclass(frozen=True)
class ImageInput:
    """An input that takes a picture, RGB.

    Args:
        name: The tensor's name.
        description: What it takes.
        mean: One number; the client computes `(pixel - mean) / std` with pixels 0 to 255.
        std: One number.
    """

    name: str
    description: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class FeatureOutput:
    """An output of numbers.

    Args:
        name: The tensor's name.
        description: What it holds.
        labels: What each number stands for; None when nothing is said.
        boxes: Whether every four numbers are a box.
        edges: Where left, top, right and bottom of a box stand among its numbers.
        numbered: Whether the labels stand for the values 0, 1 and so on, wherever one stands.
    """

    name: str
    description: str
    labels: tuple[str, ...] | None
    boxes: bool = False
    edges: tuple[int, ...] = (0, 1, 2, 3)
    numbered: bool = False


@dataclass(frozen=True)
class Metadata:
    """What a file says about itself.

    Args:
        name: What the model is called.
        description: What it is.
        inputs: One for each input, in the file's order.
        outputs: One for each output, in the file's order.
        custom: Buffers in a form of their own, by the name under which a client library looks for them.
    """

    name: str
    description: str
    inputs: tuple[ImageInput, ...]
    outputs: tuple[FeatureOutput, ...]
    custom: Mapping[str, bytes] = field(default_factory=dict)


def attach(file: Path, metadata: Metadata) -> None:
    """Write metadata into a `.tflite` file that has none. The same file and metadata give the same bytes."""
    from ai_edge_litert import schema_py_generated as schema

    model = read(file.read_bytes(), file.name)
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = ENTRY, len(model.buffers)
    buffer.data = flat_tables.write(SCHEMA, "ModelMetadata", _tables(metadata), IDENTIFIER)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    stream = io.BytesIO(packed(model))
    stream.seek(0, io.SEEK_END)
    labels = {name: output.labels for name, output in zip(_files(metadata), metadata.outputs, strict=True)}
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        for name, content in labels.items():
            if content is not None:
                archive.writestr(_dated(name), "\n".join(content) + "\n")
    file.write_bytes(stream.getvalue())


def read_metadata(file: Path) -> Metadata | None:
    """Return what a `.tflite` file says about itself, None when it says nothing.

    Files by others say more, and other things; what this cannot hold is left out.

    Raises:
        ProblemError: The metadata are damaged, or name a file that is not there.
    """
    data = file.read_bytes()
    model = read(data, file.name)
    try:
        content = next((bytes(bytearray(_buffer(model, entry))) for entry in model.metadata or [] if _is(entry)), None)
        if content is None:
            return None
        return _metadata(flat_tables.read(SCHEMA, "ModelMetadata", content, IDENTIFIER), _archive(data))
    except Exception as error:  # damaged tables and archives fail in many ways
        raise ProblemError(Problem(f"{file.name} has damaged metadata ({error})")) from None


def _is(entry: Any) -> bool:
    return bool(entry.name in (ENTRY, ENTRY.encode()))


def _buffer(model: Any, entry: Any) -> Any:
    return model.buffers[entry.buffer].data


def _dated(name: str) -> zipfile.ZipInfo:
    """Return the entry of a file, with the date and system that make the bytes the same everywhere."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    return info


def _files(metadata: Metadata) -> tuple[str, ...]:
    """Return the name of the file with the labels of each output."""
    single = len(metadata.outputs) == 1
    return tuple(LABELS if single else f"{output.name}_{LABELS}" for output in metadata.outputs)


def _tables(metadata: Metadata) -> dict[str, Any]:
    graph = {
        "input_tensor_metadata": list(map(_input_table, metadata.inputs)),
        "output_tensor_metadata": list(map(_output_table, metadata.outputs, _files(metadata))),
        "custom_metadata": [{"name": name, "data": data} for name, data in metadata.custom.items()] or None,
    }
    return {
        "name": metadata.name,
        "description": metadata.description,
        "subgraph_metadata": [graph],
        "min_parser_version": PARSER_OF_CUSTOM if metadata.custom else PARSER,
    }


def _input_table(one: ImageInput) -> dict[str, Any]:
    normalization = {"mean": one.mean, "std": one.std}
    return {
        "name": one.name,
        "description": one.description,
        "content": {"content_properties": ("ImageProperties", {"color_space": _RGB})},
        "process_units": [{"options": ("NormalizationOptions", normalization)}],
    }


def _output_table(one: FeatureOutput, file: str) -> dict[str, Any]:
    kind = _VALUE_LABELS if one.numbered else _AXIS_LABELS
    described = {"name": file, "description": "What each value stands for.", "type": kind}
    content: tuple[str, dict[str, Any]] = ("FeatureProperties", {})
    if one.boxes:
        content = ("BoundingBoxProperties", {"index": one.edges, "type": _BOUNDARIES})
    return {
        "name": one.name,
        "description": one.description,
        "content": {"content_properties": content},
        "associated_files": None if one.labels is None else [described],
    }


def _archive(data: bytes) -> dict[str, bytes]:
    """Return the files behind the model, by name. Nothing is unpacked to disk, and nothing large is read."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        return {}
    found = {}
    with archive:
        for info in archive.infolist():
            with archive.open(info) as stream:
                found[info.filename] = stream.read(LARGEST_FILE + 1)
            if len(found[info.filename]) > LARGEST_FILE:
                raise ValueError(f"{info.filename} in it has more than {LARGEST_FILE} bytes")
    return found


def _metadata(tables: Mapping[str, Any], files: Mapping[str, bytes]) -> Metadata:
    graph: Mapping[str, Any] = next(iter(tables.get("subgraph_metadata", [])), {})
    return Metadata(
        tables.get("name", ""),
        tables.get("description", ""),
        tuple(map(_input, graph.get("input_tensor_metadata", []))),
        tuple(_output(table, files) for table in graph.get("output_tensor_metadata", [])),
        {entry.get("name", ""): bytes(entry.get("data", b"")) for entry in graph.get("custom_metadata", [])},
    )


def _input(table: Mapping[str, Any]) -> ImageInput:
    options = [unit["options"][1] for unit in table.get("process_units", []) if "options" in unit]
    normalization: Mapping[str, Any] = next(iter(options), {})
    return ImageInput(
        table.get("name", ""),
        table.get("description", ""),
        tuple(normalization.get("mean", ())),
        tuple(normalization.get("std", ())),
    )


def _output(table: Mapping[str, Any], files: Mapping[str, bytes]) -> FeatureOutput:
    labels = next(_labels(table, files), None)
    kind, properties = table.get("content", {}).get("content_properties", ("", {}))
    name, description = table.get("name", ""), table.get("description", "")
    numbered = any(file.get("type") == _VALUE_LABELS for file in table.get("associated_files", []))
    if kind != "BoundingBoxProperties":
        return FeatureOutput(name, description, labels, numbered=numbered)
    return FeatureOutput(name, description, labels, True, tuple(properties.get("index", range(4))), numbered)


def _labels(table: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[tuple[str, ...]]:
    for file in table.get("associated_files", []):
        if file.get("type") in (_AXIS_LABELS, _VALUE_LABELS):
            if file["name"] not in files:
                raise ValueError(f"they name {file['name']}, which is not inside")
            yield tuple(files[file["name"]].decode().splitlines())
