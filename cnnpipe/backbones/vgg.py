"""VGG: plain 3x3 convolutions, many weights; variant vgg16 or vgg19 (Simonyan and Zisserman 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Level, Normalization
from cnnpipe.backbones._application import CENTERED, STORAGE, KerasFunction, OfficialFile
from cnnpipe.backbones._block_family import BlockFamily

Variant = Literal["vgg16", "vgg19"]


class VGG(BlockFamily):
    """Convolutions of 3x3 in groups, each group ended by pooling.

    Source: Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", table 1
    (D and E).
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "CC-BY-4.0 (Visual Geometry Group, Oxford)"
    pixels: ClassVar[Normalization] = CENTERED
    reads_bgr: ClassVar[bool] = True
    tuned_after: ClassVar[Level] = "P3"  # P4 is the last convolution

    type: Literal["vgg"] = "vgg"
    variant: Variant = "vgg16"
    """Which of the published depths."""

    @property
    def recipe(self) -> str:
        """Name of the shipped recipe that has the blocks."""
        return self.variant

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(self.variant.upper(), {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"{self.variant}_weights_tf_dim_ordering_tf_kernels_notop.h5"
        return OfficialFile(name, f"{STORAGE}/{self.variant}/{name}")
