"""Any machine with LiteRT: a phone, a board with Linux, a computer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.registry import Component
from cnnpipe.targets import Target


def _litert() -> Any:
    return Component("exporters").validate("litert")


class Generic(Target):
    """Any host of LiteRT. Float files speak float32; int8 files speak int8, so that nothing converts on the way."""

    also_called: ClassVar[tuple[str, ...]] = (
        "cpu",
        "phone",
        "android",
        "ios",
        "any",
        "host",
        "mobile",
        "tflite",
        "edge",
        "raspberry_pi",
    )
    type: Literal["generic"] = "generic"
    format: AnyExporter = Field(default_factory=_litert)
    """The file format."""

    input_types: ClassVar[Mapping[Quantization, TensorType]] = {
        "none": "float32",
        "float16": "float32",
        "dynamic_range": "float32",
        "int8": "int8",
        "int16x8": "float32",
    }
