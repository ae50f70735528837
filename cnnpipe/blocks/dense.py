"""A fully connected layer."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Positive, Rate
from cnnpipe.blocks._layers import normalized
from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.graph.arithmetic import a_map
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.dense import Dense as DenseNode
from cnnpipe.graph.nodes.dropout import Dropout


class Dense(Block):
    """Dense layer on a vector, batch normalization if wanted, activation, dropout.

    Output shape: (units).

    Source: Rosenblatt 1958; dropout on dense layers as in Srivastava et al. 2014, section 4.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"units": 5},
        {"units": 5, "batch_normalization": True, "activation": "tanh", "dropout": 0.5},
    )
    example_input: ClassVar[Shape] = (12,)
    widths: ClassVar[tuple[str, ...]] = ("units",)

    also_called: ClassVar[tuple[str, ...]] = ("linear", "fc", "fully_connected", "fullyconnected", "mlp", "output")
    type: Literal["dense"] = "dense"
    units: Positive
    """Values of the output."""
    use_bias: bool | None = None
    """A learned number per unit; when left out, yes without and no with batch normalization, which has its own."""
    batch_normalization: Normalize = False
    """Normalize between the dense layer and the activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation; linear for none."""
    dropout: Rate = 0.0
    """Share of the outputs that are zeroed while training."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        if len(tensor.shape) > 1:
            raise graph.problem(
                f"a dense layer takes a vector, received {a_map(tensor.shape)}",
                "Put flatten or global_average_pooling before it.",
            )
        use_bias = not self.batch_normalization if self.use_bias is None else self.use_bias
        tensor = graph.add(DenseNode(self.units, use_bias), tensor)
        tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        return graph.add(Dropout(self.dropout), tensor) if self.dropout else tensor
