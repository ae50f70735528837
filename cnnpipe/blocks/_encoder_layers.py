"""What the blocks share that hold layers of a transformer encoder."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from cnnpipe.blocks._fields import Positive, Rate
from cnnpipe.blocks._residual_units import ResidualUnits, added
from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.graph.arithmetic import a_map, text
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.attention import MultiHeadAttention
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.normalization import LayerNormalization


class EncoderLayers(ResidualUnits):
    """Base of blocks with `repeat` layers of attention and a perceptron, normalized before each of the two."""

    widths: ClassVar[tuple[str, ...]] = ("mlp_size",)

    num_heads: Positive
    """Heads of the attention; the channels are divided among them."""
    mlp_size: Positive
    """Values inside the perceptron at each position."""
    dropout: Rate = 0.0
    """Share of the values that is zeroed while training: after attention and after both layers of the perceptron."""
    activation: ActivationName = "gelu"
    """Keras's name of the activation."""
    epsilon: Annotated[float, Field(gt=0)] = 1e-6
    """Added to the variance where positions are normalized."""

    def encoded(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all layers after a sequence, or after several that are apart, and return the last output.

        Both branches of a layer have its rate of stochastic depth, each with random numbers of its own.
        """
        for rate in self.rates(graph):
            inner = graph.add(MultiHeadAttention(self.num_heads), self.normalized(graph, tensor))
            tensor = added(graph, self._dropped(graph, inner), tensor, rate)
            inner = graph.add(Dense(self.mlp_size), self.normalized(graph, tensor))
            inner = self._dropped(graph, graph.add(Activation(self.activation), inner))
            inner = graph.add(Dense(tensor.shape[-1]), inner)
            tensor = added(graph, self._dropped(graph, inner), tensor, rate)
        return tensor

    def normalized(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Normalize the channels of each position."""
        return graph.add(LayerNormalization(self.epsilon), tensor)

    def _dropped(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        return graph.add(Dropout(self.dropout), tensor) if self.dropout else tensor


def patches(graph: GraphBuilder, shape: Shape, size: tuple[int, int]) -> tuple[int, int]:
    """Return the number of patches along both axes of a map.

    Raises:
        ProblemError: It is no map in 2D, or cannot be divided evenly; it stands at the line of the current block.
    """
    if len(shape) != len(size) + 1:
        raise graph.problem(f"patches are taken from a map in 2D, received {text(shape)} values")
    (height, width), (rows, columns) = shape[:-1], size
    if height % rows or width % columns:
        raise graph.problem(
            f"divides {a_map(shape[:-1])} into patches of {text(size)}: {height} / {rows} = {height / rows:.2f}, "
            f"{width} / {columns} = {width / columns:.2f}",
            "Both sizes of the map must be multiples of the patch's: change 'image_size' or 'patch_size'.",
        )
    return height // rows, width // columns
