"""ConvNeXt: residual blocks with 7x7 depthwise convolutions; variant tiny to xlarge (Liu et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import IDENTITY, STORAGE, Application, KerasFunction, OfficialFile

Variant = Literal["tiny", "small", "base", "large", "xlarge"]
KERAS = {"xlarge": "XLarge"}
"""Names that Keras writes in its own way."""


class ConvNeXt(Application):
    """Residual blocks of a 7x7 depthwise convolution and two dense layers.

    The network normalizes pixels itself.

    Source: Liu et al. 2022, "A ConvNet for the 2020s", figure 4.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "MIT (Facebook)"
    pixels: ClassVar[Normalization] = IDENTITY

    type: Literal["convnext"] = "convnext"
    variant: Variant = "tiny"
    """Which of the published sizes."""

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(f"ConvNeXt{KERAS.get(self.variant, self.variant.title())}", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"convnext_{self.variant}_notop.h5"
        return OfficialFile(name, f"{STORAGE}/convnext/{name}")
