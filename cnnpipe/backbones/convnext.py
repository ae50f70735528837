"""ConvNeXt: residual blocks with 7x7 depthwise convolutions; variant tiny to xlarge (Liu et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import IDENTITY, STORAGE, KerasFunction, OfficialFile
from cnnpipe.backbones._block_family import BlockFamily
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.normalization import LayerNormalization

Variant = Literal["tiny", "small", "base", "large", "xlarge"]
KERAS = {"xlarge": "XLarge"}
"""Names that Keras writes in its own way."""


class ConvNeXt(BlockFamily):
    """Residual blocks of a 7x7 depthwise convolution and two dense layers.

    The network normalizes pixels itself. Without `blocks` it ends in layer normalization; recipes that hold the blocks
    have it after pooling, as the published classifier does.

    Source: Liu et al. 2022, "A ConvNet for the 2020s", figure 4.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "MIT (Facebook)"
    pixels: ClassVar[Normalization] = IDENTITY

    type: Literal["convnext"] = "convnext"
    variant: Variant = "tiny"
    """Which of the published sizes."""

    @property
    def recipe(self) -> str:
        """Name of the shipped recipe that has the blocks."""
        return f"convnext_{self.variant}"

    @property
    def left_to_head(self) -> int:
        """Number of Keras's last layers that are not here: the last normalization, which the head then has."""
        return 0 if self.blocks is None else 1

    def layers(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes of all blocks, and the last normalization where no recipe says what stands after them."""
        tensor = super().layers(graph, tensor)
        return tensor if self.blocks is not None else graph.add(LayerNormalization(epsilon=1e-6), tensor)

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(f"ConvNeXt{KERAS.get(self.variant, self.variant.title())}", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        name = f"convnext_{self.variant}_notop.h5"
        return OfficialFile(name, f"{STORAGE}/convnext/{name}")
