"""The scales of all quantized tensors of a file, as a table in the bundle."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from cnnpipe.errors import Problem
from cnnpipe.litert_file import layers_in, read, read_program

SCALES = "scales.csv"
READABLE = ".tflite"
HEADER = ("tensor", "layer", "type", "constant", "scales", "smallest_scale", "largest_scale", "zero_point")
"""`scales` counts them: 1 for all values, or one for each output channel. `real = scale * (stored - zero_point)`."""


def write_scales(folder: Path, file: Path) -> None:
    """Write the table of a file that has quantized tensors and whose format can be read."""
    if text := _table(file):
        (folder / SCALES).write_bytes(text.encode())


def changed_scales(folder: Path, file: Path) -> Iterator[Problem]:
    """Yield a problem when the table of a bundle is not what its file holds, or is not there."""
    table, wanted = folder / SCALES, _table(file).encode()
    if wanted and not table.is_file():
        yield Problem(f"{SCALES} is missing, which a bundle with a quantized file has")
    elif table.is_file() and table.read_bytes() != wanted:
        yield Problem(f"{SCALES} tells other scales than {file.name} holds")


def _table(file: Path) -> str:
    rows = list(scale_rows(file.read_bytes())) if file.suffix == READABLE else []
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows] if rows else [])
    return text.getvalue()


def scale_rows(data: bytes) -> Iterator[tuple[str, str, str, bool, int, float, float, int]]:
    """Yield a row for each quantized tensor of a `.tflite` file, in the file's order."""
    tensors = read(data).subgraphs[0].tensors
    for known, tensor in zip(read_program(data).tensors, tensors, strict=True):
        if known.scales:
            scales, zero_points = [float(scale) for scale in tensor.quantization.scale], tensor.quantization.zeroPoint
            layer = next(iter(layers_in(known.name)), "")
            many = known.scales, min(scales), max(scales)
            zero_point = int(zero_points[0]) if zero_points is not None and len(zero_points) else 0
            yield known.name, layer, known.dtype, known.constant, *many, zero_point
