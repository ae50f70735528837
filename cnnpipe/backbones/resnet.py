"""ResNet: residual connections; variant resnet50, 101 or 152 (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import CENTERED, STORAGE, KerasFunction, OfficialFile
from cnnpipe.backbones._block_family import BlockFamily

Variant = Literal["resnet50", "resnet101", "resnet152"]


class ResNet(BlockFamily):
    """Residual blocks of three convolutions.

    Source: He et al. 2016, "Deep residual learning for image recognition", table 1.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "MIT (Kaiming He)"
    pixels: ClassVar[Normalization] = CENTERED
    reads_bgr: ClassVar[bool] = True
    also_called: ClassVar[tuple[str, ...]] = ("resnet_v1",)

    type: Literal["resnet"] = "resnet"
    variant: Variant = "resnet50"
    """Which of the published depths."""

    @property
    def recipe(self) -> str:
        """Name of the shipped recipe that has the blocks."""
        return self.variant

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(self.variant.replace("resnet", "ResNet"), {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"{self.variant}_weights_tf_dim_ordering_tf_kernels_notop.h5"
        return OfficialFile(name, f"{STORAGE}/resnet/{name}")
