"""MobileNet: depthwise separable convolutions, for phones; alpha 0.25 to 1 (Howard et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STORAGE, SYMMETRIC, KerasFunction, OfficialFile, OneOf
from cnnpipe.backbones._block_family import BlockFamily
from cnnpipe.blocks import Block
from cnnpipe.blocks._scaling import Scaling

ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
"""How the names of the files spell them."""
SIZES = (128, 160, 192, 224)


class MobileNet(BlockFamily):
    """Depthwise and 1x1 convolutions in turn, all `alpha` times as wide as the largest.

    Source: Howard et al. 2017, "MobileNets: Efficient convolutional neural networks for mobile vision applications",
    table 1.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"alpha": alpha} for alpha in ALPHAS)
    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = SYMMETRIC
    also_called: ClassVar[tuple[str, ...]] = ("mobilenet_v1", "mobilenetv1_100")

    type: Literal["mobilenet"] = "mobilenet"
    alpha: Annotated[float, OneOf(*ALPHAS)] = 1.0
    """Width of every layer as a share of the published one."""

    @property
    def recipe(self) -> str:
        """Name of the shipped recipe that has the blocks."""
        return "mobilenet"

    def adapted(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Return blocks with `alpha` times the channels."""
        return [block.scaled(Scaling(self.alpha, divisor=1)) for block in blocks]

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction("MobileNet", {"alpha": self.alpha})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights; there are some for several square inputs, and 224x224 stands for all others."""
        height, width = size
        side = height if height == width and height in SIZES else 224
        name = f"mobilenet_{ALPHAS[self.alpha]}_{side}_tf_no_top.h5"
        return OfficialFile(name, f"{STORAGE}/mobilenet/{name}")
