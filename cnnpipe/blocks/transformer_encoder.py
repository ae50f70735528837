"""Layers of attention."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Example
from cnnpipe.blocks._encoder_layers import EncoderLayers
from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.graph.arithmetic import a_map


class TransformerEncoder(EncoderLayers):
    """`repeat` layers: x + attention(normalize(x)), then x + perceptron(normalize(x)) at each position.

    A normalization after the last layer is the next block's: `layer_normalization`.

    Output shape: that of the input, (positions, channels).

    Source: Vaswani et al. 2017, section 3.1, with normalization before the branches as in Dosovitskiy et al. 2021,
    equations 2 and 3.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"num_heads": 2, "mlp_size": 16},
        {"num_heads": 4, "mlp_size": 8, "repeat": 2, "dropout": 0.5, "stochastic_depth": 0.1, "activation": "relu"},
    )
    example_input: ClassVar[Shape] = (5, 8)

    also_called: ClassVar[tuple[str, ...]] = (
        "transformer",
        "encoder",
        "vit_encoder",
        "transformer_block",
        "encoder_block",
        "multi_head_attention",
        "attention",
    )
    type: Literal["transformer_encoder"] = "transformer_encoder"

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        if len(tensor.shape) > 2:
            raise graph.problem(
                f"a transformer encoder reads a sequence of vectors, received {a_map(tensor.shape[:-1])}",
                "Put patch_embedding before it.",
            )
        return self.encoded(graph, tensor)
