"""From a picture to a sequence of patches."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar, Literal

from typing_extensions import Self

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._encoder_layers import patches
from cnnpipe.blocks._fields import Positive, Rate, Sizes
from cnnpipe.blocks._scaling import Scaling
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import per_axis
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.padding import ZeroPadding
from cnnpipe.graph.nodes.patch_embedding import PatchEmbedding as PatchEmbeddingNode
from cnnpipe.graph.nodes.permute import Permute
from cnnpipe.graph.nodes.rearrange import Reshape

SCALED_TO = 48
"""Scaled sizes are multiples of it, so that 2, 3, 4, 6, 8, 12 and 16 heads divide them."""


class PatchEmbedding(Block):
    """Patches that do not overlap, each a vector of its values, times one matrix, plus a vector for its position.

    The class token is a position of its own before the first patch: zeros, plus the vector of that position. What
    published networks have besides is a sum with these vectors: the class token itself, and one bias for all patches.

    Output shape: (patches, hidden_size), with the class token (patches + 1, hidden_size).

    Source: Dosovitskiy et al. 2021, section 3.1, equation 1.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"hidden_size": 6, "patch_size": 8},
        {"hidden_size": 6, "patch_size": (4, 8), "class_token": False, "dropout": 0.5},
    )
    widths: ClassVar[tuple[str, ...]] = ("hidden_size",)

    also_called: ClassVar[tuple[str, ...]] = ("patches", "patch_embed", "patchify", "tokenizer", "position_embedding")
    type: Literal["patch_embedding"] = "patch_embedding"
    hidden_size: Positive
    """Channels of the output; heads of attention divide them."""
    patch_size: Sizes = 16
    """Height and width of a patch."""
    class_token: bool = True
    """Put a position before the patches that belongs to none of them, for `class_token` to read at the end."""
    dropout: Rate = 0.0
    """Share of the output that is zeroed while training."""

    def scaled(self, scaling: Scaling) -> Self:
        """Return the block with more or fewer channels, which the usual numbers of heads divide."""
        return super().scaled(replace(scaling, divisor=SCALED_TO))

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        rows, columns = per_axis(self.patch_size, 2, "patch_size")
        down, across = patches(graph, tensor.shape, (rows, columns))
        values = columns * tensor.shape[-1]
        if rows > 1:
            tensor = graph.add(Reshape((down, rows, across, values)), tensor)
            tensor = graph.add(Permute((1, 3, 2, 4)), tensor)
        tensor = graph.add(Reshape((math.prod((down, across)), rows * values)), tensor)
        if self.class_token:
            tensor = graph.add(ZeroPadding(((1, 0),)), tensor)
        tensor = graph.add(PatchEmbeddingNode(self.hidden_size), tensor)
        return graph.add(Dropout(self.dropout), tensor) if self.dropout else tensor
