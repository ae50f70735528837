"""What phones share: MediaPipe Tasks as the client library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.targets import Target
from cnnpipe.targets._on_board import litert


class Phone(Target):
    """Base of phones. MediaPipe Tasks reads labels and normalization from the file, and feeds stretched RGB pictures.

    It takes float32 or uint8 and refuses int8; a model with one channel it refuses too.
    """

    format: AnyExporter = Field(default_factory=litert)
    """The file format."""

    input_types: ClassVar[Mapping[Quantization, TensorType]] = {
        "none": "float32",
        "float16": "float32",
        "dynamic_range": "float32",
        "int8": "uint8",
        "int16x8": "float32",
    }
    formats: ClassVar[tuple[str, ...]] = ("litert",)
    metadata: ClassVar[bool] = True
    client_resize: ClassVar[Literal["stretch"] | None] = "stretch"
    client_interpolation: ClassVar[Literal["mediapipe"] | None] = "mediapipe"
    client_channels: ClassVar[int | None] = 3
    runtimes: ClassVar[tuple[str, ...]] = ("mediapipe_tasks",)
