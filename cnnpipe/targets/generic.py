"""Any machine with LiteRT: a computer, a board with Linux."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.targets import Target
from cnnpipe.targets._on_board import litert


class Generic(Target):
    """Any host of LiteRT. Float files speak float32; int8 files speak int8, so that nothing converts on the way."""

    also_called: ClassVar[tuple[str, ...]] = ("cpu", "any", "host", "tflite", "edge", "pc")
    type: Literal["generic"] = "generic"
    format: AnyExporter = Field(default_factory=litert)
    """The file format."""

    title: ClassVar[str] = "Any machine with LiteRT"
    input_types: ClassVar[Mapping[Quantization, TensorType]] = {
        "none": "float32",
        "float16": "float32",
        "dynamic_range": "float32",
        "int8": "int8",
        "int16x8": "float32",
    }
