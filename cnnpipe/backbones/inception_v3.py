"""InceptionV3: windows of several sizes side by side (Szegedy et al. 2016)."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STORAGE, SYMMETRIC, Application, KerasFunction, OfficialFile


class InceptionV3(Application):
    """Branches of convolutions with windows of several sizes, large ones as two of 1xn and nx1.

    Source: Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", table 1.
    """

    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = SYMMETRIC
    smallest: ClassVar[int] = 75
    also_called: ClassVar[tuple[str, ...]] = ("inception", "googlenet")

    type: Literal["inception_v3"] = "inception_v3"

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction("InceptionV3", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
        return OfficialFile(name, f"{STORAGE}/inception_v3/{name}")
