"""ResNetV2: residual connections that stay untouched; variant resnet50_v2, 101 or 152 (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STORAGE, SYMMETRIC, Application, KerasFunction, OfficialFile

Variant = Literal["resnet50_v2", "resnet101_v2", "resnet152_v2"]


class ResNetV2(Application):
    """Residual blocks of three convolutions, each after its normalization and activation.

    Source: He et al. 2016, "Identity mappings in deep residual networks", figure 4 (e).
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "BSD-3-Clause (Facebook)"
    pixels: ClassVar[Normalization] = SYMMETRIC

    type: Literal["resnet_v2"] = "resnet_v2"
    variant: Variant = "resnet50_v2"
    """Which of the published depths."""

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(self.variant.replace("resnet", "ResNet").replace("_v2", "V2"), {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"{self.variant.replace('_', '')}_weights_tf_dim_ordering_tf_kernels_notop.h5"
        return OfficialFile(name, f"{STORAGE}/resnet/{name}")
