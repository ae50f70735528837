"""EfficientNet: depth, width and image size grow together; variant b0 to b7 (Tan and Le 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import IDENTITY, KerasFunction, OfficialFile
from cnnpipe.backbones._block_family import BlockFamily

Variant = Literal["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"]


class EfficientNet(BlockFamily):
    """Inverted residual blocks with squeeze and excitation, wider, deeper and for larger images from b0 to b7.

    The network normalizes pixels itself, by statistics that are among its weights.

    Source: Tan and Le 2019, "EfficientNet: Rethinking model scaling for convolutional neural networks", table 1.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = IDENTITY
    rescales_published: ClassVar[bool] = True

    type: Literal["efficientnet"] = "efficientnet"
    variant: Variant = "b0"
    """Which of the published sizes."""

    @property
    def recipe(self) -> str:
        """Name of the shipped recipe that has the blocks."""
        return f"efficientnet_{self.variant}"

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(f"EfficientNet{self.variant.upper()}", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"efficientnet{self.variant}_notop.h5"
        return OfficialFile(name, f"https://storage.googleapis.com/keras-applications/{name}")
