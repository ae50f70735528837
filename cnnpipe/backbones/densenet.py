"""DenseNet: each layer sees all earlier ones; variant densenet121, 169 or 201 (Huang et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STANDARDIZED, STORAGE, Application, KerasFunction, OfficialFile

Variant = Literal["densenet121", "densenet169", "densenet201"]


class DenseNet(Application):
    """Blocks in which each layer reads the outputs of all layers before it.

    Source: Huang et al. 2017, "Densely connected convolutional networks", table 1.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "BSD-3-Clause (Zhuang Liu)"
    pixels: ClassVar[Normalization] = STANDARDIZED

    type: Literal["densenet"] = "densenet"
    variant: Variant = "densenet121"
    """Which of the published depths."""

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(self.variant.replace("densenet", "DenseNet"), {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"{self.variant}_weights_tf_dim_ordering_tf_kernels_notop.h5"
        return OfficialFile(name, f"{STORAGE}/densenet/{name}")
