"""Exporters: one file format each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import numpy as np

Quantization = Literal["none", "float16", "dynamic_range", "int8", "int16x8"]
TensorType = Literal["float32", "uint8", "int8", "int16"]


@dataclass(frozen=True)
class Conversion:
    """Everything that a conversion needs, as plain data: it happens in another process.

    Args:
        layers: The network as `build.plan` gives it; the input's normalization is left out when the input tensor's
            scale and zero point carry it.
        weights: File (`.npz`) with the weights by layer name.
        calibration: File (`.npy`) with model inputs, batch axis first; for the quantizations that need it.
        quantization: What happens to weights and activations.
        input_type: Type of the file's input tensor.
        output_type: Type of the file's output tensors.
        file: Where to write.
    """

    layers: Mapping[str, Any]
    weights: Path
    calibration: Path | None
    quantization: Quantization
    input_type: TensorType
    output_type: TensorType
    file: Path


class Exporter(Spec):
    """Base of all exporters."""

    file_name: ClassVar[str]
    """Name of the file in the bundle."""
    quantizations: ClassVar[tuple[Quantization, ...]]
    """What it can write."""

    type: str

    @abstractmethod
    def convert(self, conversion: Conversion) -> Mapping[str, Any]:
        """Write the file, and return facts about it (operators, tensors). Runs in the conversion process."""

    @abstractmethod
    def predict(self, file: Path, batches: Iterable[Mapping[str, np.ndarray]]) -> Iterable[Mapping[str, np.ndarray]]:
        """Run the written file in its own runtime on inputs before normalization. Runs in the runtime process."""


ROOM = Room("exporters", Exporter)
AnyExporter = Annotated[Exporter, Component("exporters")]
