"""Fixed factors and offsets."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.rescaling import Rescaling as RescalingNode

Numbers = float | Annotated[tuple[float, ...], Field(min_length=1)]


class Rescaling(Block):
    """x * scale + offset, as some published networks do to pixels before their first layer.

    It belongs to the network, after `data.preprocessing`, which does as much for all others.

    Output shape: that of the input.

    Source: the first layer of MobileNetV3 and EfficientNet in keras.applications.
    """

    examples: ClassVar[tuple[Example, ...]] = ({"scale": 0.5, "offset": -1.0}, {"scale": (0.5,) * 8})

    type: Literal["rescaling"] = "rescaling"
    scale: Numbers
    """Factor: one number, or one per channel."""
    offset: Numbers = 0.0
    """What is then added: one number, or one per channel."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        return graph.add(RescalingNode(self.scale, self.offset), tensor)
