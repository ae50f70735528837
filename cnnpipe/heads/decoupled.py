"""The decoupled detection head: for each cell of each feature map, the score of each class, and a box."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks._fields import Normalize, NotNegative, Positive
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.positions import ConcatenatePositions
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.heads import Head

BOX_VALUES = 4


class Decoupled(Head):
    """Two branches of convolutions at each level, one for scores and one for boxes (Ge et al. 2021, section 2.1).

    Each cell says one box, relative to a square anchor in its middle; no cell has several anchors.
    """

    also_called: ClassVar[tuple[str, ...]] = ("detection", "decoupled_head", "anchor_free")
    type: Literal["decoupled"] = "decoupled"
    filters: Positive | None = None
    """Channels of the convolutions; when left out those of the map."""
    repeat: NotNegative = 2
    """Convolutions of each branch before its last one."""
    separable: bool = False
    """Whether 3x3 convolutions are taken apart, each channel by itself, then 1x1 across the channels: about eight times
    fewer multiply-adds."""
    batch_normalization: Normalize = True
    """Normalize between convolution and activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation."""
    anchor_scale: float = Field(default=4.0, gt=0)
    """Side of the box that a cell says before it has learned anything, in strides of its level."""
    prior_probability: float = Field(default=0.01, gt=0, lt=1)
    """Score that every class has before anything is learned, so that the many cells without object do not rule the
    first steps (Lin et al. 2017, section 4.1)."""

    def expand(self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int) -> tuple[Tensor, Tensor, Tensor]:
        """Add the head, and return boxes (positions, 4), scores (positions, classes) and the logits of the scores.

        Positions are the cells, row by row, of the maps in their order. The numbers of the boxes are those of
        `boxes/anchors.py`.
        """
        found: list[list[Tensor]] = [[], []]
        for name, tensor in maps.items():
            with graph.block((), name):
                for list_of, branch in zip(found, self._branches(graph, tensor, classes), strict=True):
                    list_of.append(branch)
        boxes, logits = (graph.add(ConcatenatePositions(), *parts) if len(parts) > 1 else parts[0] for parts in found)
        return boxes, graph.add(Activation("sigmoid"), logits), logits

    def _branches(self, graph: GraphBuilder, tensor: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        prior = -math.log((1 - self.prior_probability) / self.prior_probability)
        boxes = graph.add(Convolution(BOX_VALUES, 1), self._convolved(graph, tensor))
        logits = graph.add(Convolution(classes, 1, bias_start=prior), self._convolved(graph, tensor))
        return _listed(graph, boxes), _listed(graph, logits)

    def _convolved(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        filters, bias = self.filters or tensor.shape[-1], not self.batch_normalization
        for _ in range(self.repeat):
            if self.separable:
                tensor = depthwise(graph, tensor, 3, use_bias=False)
            tensor = convolution(graph, tensor, filters, 1 if self.separable else 3, use_bias=bias)
            tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        return tensor


def _listed(graph: GraphBuilder, tensor: Tensor) -> Tensor:
    """Return a map as the list of its positions."""
    return graph.add(Reshape((math.prod(tensor.shape[:-1]), tensor.shape[-1])), tensor)
