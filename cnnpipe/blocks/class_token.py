"""From a sequence to its first position."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.nodes.padding import Cropping
from cnnpipe.graph.nodes.rearrange import Flatten


class ClassToken(Block):
    """The vector of the first position, where `patch_embedding` puts the class token.

    The other way from a sequence to a vector is `global_average_pooling`.

    Output shape: (channels).

    Source: Dosovitskiy et al. 2021, section 3.1, equation 4; its normalization is the block before.
    """

    examples: ClassVar[tuple[Example, ...]] = ({},)
    example_input: ClassVar[Shape] = (5, 8)

    also_called: ClassVar[tuple[str, ...]] = ("cls", "cls_token", "first_token", "token")
    type: Literal["class_token"] = "class_token"

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        if len(tensor.shape) != 2:
            raise graph.problem(
                f"a class token is the first of a sequence of vectors, received {text(tensor.shape)} values",
                "Put patch_embedding before it, or use global_average_pooling.",
            )
        if tensor.shape[0] > 1:
            tensor = graph.add(Cropping(((0, tensor.shape[0] - 1),)), tensor)
        return graph.add(Flatten(), tensor)
