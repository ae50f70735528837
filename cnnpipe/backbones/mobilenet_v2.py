"""MobileNetV2: inverted residuals, for phones and boards; alpha 0.35 to 1.4 (Sandler et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STORAGE, SYMMETRIC, KerasFunction, OfficialFile, OneOf
from cnnpipe.backbones._block_family import BlockFamily
from cnnpipe.blocks import Block
from cnnpipe.blocks._scaling import Scaling

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
SIZES = (96, 128, 160, 192, 224)


class MobileNetV2(BlockFamily):
    """Inverted residual blocks, all `alpha` times as wide as the published ones.

    Source: Sandler et al. 2018, "MobileNetV2: Inverted residuals and linear bottlenecks", table 2.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"alpha": alpha} for alpha in ALPHAS)
    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = SYMMETRIC
    also_called: ClassVar[tuple[str, ...]] = ("mobilenetv2_100",)

    type: Literal["mobilenet_v2"] = "mobilenet_v2"
    alpha: Annotated[float, OneOf(*ALPHAS)] = 1.0
    """Width of every layer as a share of the published one; above 1 the last layer grows too."""

    @property
    def recipe(self) -> str:
        """Name of the shipped recipe that has the blocks."""
        return "mobilenet_v2"

    def adapted(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Return the blocks `alpha` times as wide; the last convolution does not become narrower."""
        *rest, last = blocks
        return (*(block.scaled(Scaling(self.alpha)) for block in rest), last.scaled(Scaling(max(self.alpha, 1.0))))

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction("MobileNetV2", {"alpha": self.alpha})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights; there are some for several square inputs, and 224x224 stands for all others."""
        height, width = size
        side = height if height == width and height in SIZES else 224
        name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{self.alpha}_{side}_no_top.h5"
        return OfficialFile(name, f"{STORAGE}/mobilenet_v2/{name}")
