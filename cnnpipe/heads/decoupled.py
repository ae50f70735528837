"""The decoupled detection head: for each cell of each feature map, the score of each class, and a box."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks._fields import Normalize, NotNegative, Positive
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.positions import ConcatenatePositions
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.rescaling import Rescaling
from cnnpipe.heads import Head
from cnnpipe.necks import Level, level

BOX_VALUES = 4
LIMIT = 3.0
"""How far the numbers of boxes go to both sides: a side from a twentieth to twenty times that of the anchor. Cells that
learned no box would say any number, and int8 has coarse steps for a wide range."""


class Decoupled(Head):
    """Two branches of convolutions at each level, one for scores and one for boxes (Ge et al. 2021, section 2.1).

    Each cell says one box, relative to a square anchor in its middle; no cell has several anchors.
    """

    also_called: ClassVar[tuple[str, ...]] = ("detection", "decoupled_head", "anchor_free")
    type: Literal["decoupled"] = "decoupled"
    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = ("P3", "P4", "P5")
    """The maps that it reads: small objects need fine ones, large objects coarse ones."""
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

    def expand(
        self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Add the head, and return boxes (positions, 4), scores (positions, classes) and the logits of the scores.

        Positions are the cells, row by row, of the maps of `levels`. The numbers of the boxes are those of
        `boxes/anchors.py`.

        Args:
            graph: Where to add.
            maps: The maps that the model gives, by level.
            classes: How many classes there are.
            image: Height and width of the image.

        Raises:
            ProblemError: One of the maps is missing, or is smaller than the image divided by its stride.
        """
        found: list[list[Tensor]] = [[], []]
        for name in self.levels:
            with graph.block((), name):
                tensor = self._read(graph, maps, name, image)
                for list_of, branch in zip(found, self._branches(graph, tensor, classes), strict=True):
                    list_of.append(branch)
        numbers, logits = (graph.add(ConcatenatePositions(), *parts) if len(parts) > 1 else parts[0] for parts in found)
        boxes = graph.add(Rescaling(1.0, -LIMIT), numbers)
        return boxes, graph.add(Activation("sigmoid"), logits), logits

    def cells(self, image: tuple[int, int]) -> dict[str, tuple[int, int]]:
        """Return height and width of the maps that it reads, for images of this height and width."""
        strides = {name: 2 ** int(name[1:]) for name in self.levels}
        return {name: (-(-image[0] // stride), -(-image[1] // stride)) for name, stride in strides.items()}

    def _read(self, graph: GraphBuilder, maps: Mapping[str, Tensor], name: str, image: tuple[int, int]) -> Tensor:
        tensor, size = level(graph, maps, name), self.cells(image)[name]
        if tensor.shape[:-1] != size:
            message = (
                f"the map {name} is {text(tensor.shape[:-1])}, and an image of {text(image)} has {text(size)} cells"
            )
            raise graph.problem(message, "Use padding same, so that the middles of the cells are known.")
        return tensor

    def _branches(self, graph: GraphBuilder, tensor: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        prior = -math.log((1 - self.prior_probability) / self.prior_probability)
        boxes = graph.add(Convolution(BOX_VALUES, 1, bias_start=LIMIT), self._convolved(graph, tensor))
        boxes = graph.add(Activation("relu6"), boxes)  # from 0 to twice the limit
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
