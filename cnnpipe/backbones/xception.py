"""Xception: separable convolutions with residual connections (Chollet 2017)."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STORAGE, SYMMETRIC, Application, KerasFunction, OfficialFile


class Xception(Application):
    """Residual blocks of separable convolutions.

    Source: Chollet 2017, "Xception: Deep learning with depthwise separable convolutions", figure 5.
    """

    licence: ClassVar[str] = "MIT (François Chollet)"
    pixels: ClassVar[Normalization] = SYMMETRIC
    smallest: ClassVar[int] = 71

    type: Literal["xception"] = "xception"

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction("Xception", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = "xception_weights_tf_dim_ordering_tf_kernels_notop.h5"
        return OfficialFile(name, f"{STORAGE}/xception/{name}")
