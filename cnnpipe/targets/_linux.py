"""What boards with Linux share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.targets import Target
from cnnpipe.targets._on_board import litert


class Linux(Target):
    """Base of boards with Linux: LiteRT runs there as on any computer."""

    format: AnyExporter = Field(default_factory=litert)
    """The file format."""

    input_types: ClassVar[Mapping[Quantization, TensorType]] = {
        "none": "float32",
        "float16": "float32",
        "dynamic_range": "float32",
        "int8": "int8",
        "int16x8": "float32",
    }
    attachments: ClassVar[tuple[str, ...]] = ("predict_script", "model_card")
    runtimes: ClassVar[tuple[str, ...]] = ("predict_script",)
