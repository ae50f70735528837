"""The scales of all quantized tensors of a file, as a table in the bundle."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from cnnpipe.litert_file import layers_in, read, read_program

SCALES = "scales.csv"
READABLE = ".tflite"
HEADER = ("tensor", "layer", "type", "constant", "scales", "smallest_scale", "largest_scale", "zero_point")
"""`scales` counts them: 1 for all values, or one for each output channel. `real = scale * (stored - zero_point)`."""


def write_scales(folder: Path, file: Path) -> None:
    """Write the table of a file that has quantized tensors and whose format can be read."""
    if file.suffix != READABLE:
        return
    rows = list(scale_rows(file.read_bytes()))
    if rows:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
        (folder / SCALES).write_text(text.getvalue(), encoding="utf-8")


def scale_rows(data: bytes) -> Iterator[tuple[str, str, str, bool, int, float, float, int]]:
    """Yield a row for each quantized tensor of a `.tflite` file, in the file's order."""
    tensors = read(data).subgraphs[0].tensors
    for known, tensor in zip(read_program(data).tensors, tensors, strict=True):
        if known.scales:
            scales, zero_point = [float(scale) for scale in tensor.quantization.scale], tensor.quantization.zeroPoint[0]
            layer = next(iter(layers_in(known.name)), "")
            many = known.scales, min(scales), max(scales)
            yield known.name, layer, known.dtype, known.constant, *many, int(zero_point)
