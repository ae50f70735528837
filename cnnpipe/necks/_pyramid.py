"""What feature pyramids share: maps of all levels brought to the same channels, and handed down or up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from cnnpipe.blocks._fields import Normalize, Positive
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.merge import Add
from cnnpipe.graph.nodes.resize import Resizing
from cnnpipe.necks import Level, Neck, level


class Pyramid(Neck):
    """Base of necks that give maps of several levels with the same number of channels."""

    also_called: ClassVar[tuple[str, ...]] = ()
    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = ("P3", "P4", "P5")
    """The levels that it gives, finest first, one after the other. Those that the model does not have, at the coarse
    end, are made by convolutions of stride 2."""
    filters: Positive = 64
    """Channels of every map."""
    separable: bool = False
    """Whether 3x3 convolutions are taken apart, each channel by itself, then 1x1 across the channels, each part
    normalized: about eight times fewer multiply-adds."""
    batch_normalization: Normalize = True
    """Normalize between convolution and activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu6"
    """Keras's name of the activation; one that ends somewhere keeps a range for which int8 has fine steps."""

    @field_validator("levels")
    @classmethod
    def _follow_each_other(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        numbers = [int(name[1:]) for name in levels]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise ValueError(f"levels must follow each other, finest first, received {', '.join(levels)}")
        return levels

    def handed_down(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each level's map plus that of all coarser ones, enlarged (Lin et al. 2017, figure 3)."""
        found: dict[str, Tensor] = {}
        above: Tensor | None = None
        for name in reversed(self._inputs(graph, maps)):
            with graph.block((), name):
                tensor = self._layer(graph, level(graph, maps, name), 1)
                if above is not None:
                    tensor = graph.add(Add(), tensor, graph.add(Resizing(tensor.shape[:-1], "nearest"), above))
            found[name] = above = tensor
        return dict(reversed(found.items()))

    def further(self, graph: GraphBuilder, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the maps with those of the levels that the model does not have."""
        tensor = list(found.values())[-1]
        for name in self.levels[len(found) :]:
            with graph.block((), name):
                tensor = found[name] = self.convolved(graph, tensor, 2)
        return found

    def convolved(self, graph: GraphBuilder, tensor: Tensor, strides: int = 1) -> Tensor:
        """Add a 3x3 convolution with normalization and activation."""
        if not self.separable:
            return self._layer(graph, tensor, 3, strides)
        tensor = depthwise(graph, tensor, 3, strides=strides, use_bias=not self.batch_normalization)
        return self._layer(graph, normalized(graph, tensor, self.batch_normalization, "linear"), 1)

    def _inputs(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> tuple[str, ...]:
        """Return the levels that are read: the finest one must be there, at the coarse end some may be missing."""
        level(graph, maps, self.levels[0])
        known = [name for name in self.levels if name in maps]
        return self.levels[: self.levels.index(known[-1]) + 1]  # one missing between them is a problem

    def _layer(self, graph: GraphBuilder, tensor: Tensor, kernel_size: int, strides: int = 1) -> Tensor:
        bias = not self.batch_normalization
        tensor = convolution(graph, tensor, self.filters, kernel_size, strides=strides, use_bias=bias)
        return normalized(graph, tensor, self.batch_normalization, self.activation)
