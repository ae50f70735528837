"""InceptionResNetV2: Inception blocks with residual connections; large (Szegedy et al. 2017)."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STORAGE, SYMMETRIC, Application, KerasFunction, OfficialFile


class InceptionResNetV2(Application):
    """Residual blocks whose inner part are branches of convolutions with windows of several sizes.

    Source: Szegedy et al. 2017, "Inception-v4, Inception-ResNet and the impact of residual connections on learning",
    figure 15.
    """

    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = SYMMETRIC
    smallest: ClassVar[int] = 75
    also_called: ClassVar[tuple[str, ...]] = ("inception_resnet",)

    type: Literal["inception_resnet_v2"] = "inception_resnet_v2"

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction("InceptionResNetV2", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5"
        return OfficialFile(name, f"{STORAGE}/inception_resnet_v2/{name}")
