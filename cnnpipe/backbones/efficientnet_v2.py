"""EfficientNetV2: trains faster; variant b0 to b3, s, m or l (Tan and Le 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import IDENTITY, STORAGE, Application, KerasFunction, OfficialFile

Variant = Literal["b0", "b1", "b2", "b3", "s", "m", "l"]


class EfficientNetV2(Application):
    """Inverted residual blocks, the first ones with one convolution in the place of two, found by search.

    The network normalizes pixels itself.

    Source: Tan and Le 2021, "EfficientNetV2: Smaller models and faster training", table 4.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = IDENTITY

    type: Literal["efficientnet_v2"] = "efficientnet_v2"
    variant: Variant = "b0"
    """Which of the published sizes."""

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(f"EfficientNetV2{self.variant.upper()}", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"efficientnetv2-{self.variant}_notop.h5"
        return OfficialFile(name, f"{STORAGE}/efficientnet_v2/{name}")
