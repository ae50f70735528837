"""U-Net's decoder: from the smallest map up, each level joined with the encoder's map of the same size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks._fields import Normalize, Positive
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution
from cnnpipe.necks import Level, Neck, level


class UNet(Neck):
    """Enlarge, join with the encoder's map of that size, convolve; once for each level (Ronneberger et al. 2015).

    Reads all levels that the model has; gives one map, that of `output_level`. Paddings are `same`, where the paper's
    are `valid`, so that the answer is as large as the image.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"filters": (4, 6, 8), "output_level": "P2", "repeat": 1, "upsampling": "transposed"},
        {"filters": (4, 6), "output_level": "P1", "input_level": "P3", "batch_normalization": False},
    )

    also_called: ClassVar[tuple[str, ...]] = ("u_net", "unet_decoder", "decoder")
    type: Literal["unet"] = "unet"
    filters: Annotated[tuple[Positive, ...], Field(min_length=1)] | None = None
    """Channels of each level that is made, the coarsest first; when left out half of those below, at least 16."""
    input_level: Level | None = None
    """The level that it begins with; when left out the coarsest one that the model has."""
    output_level: Level = "P0"
    """The level that it ends with: `P0` is as large as the image, `P1` half as large."""
    repeat: Positive = 2
    """Convolutions of each level."""
    upsampling: Literal["bilinear", "nearest", "transposed"] = "bilinear"
    """How a map is enlarged: by blending or repeating values, or by a learned transposed convolution."""
    batch_normalization: Normalize = True
    """Normalize between convolution and activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation."""

    def expand(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the map of `output_level`; a level between that the model does not have is made without joining."""
        start: str = self.input_level or (max(maps, key=_number) if maps else "P1")
        tensor = level(graph, maps, start)
        numbers = range(_number(start) - 1, _number(self.output_level) - 1, -1)
        if not numbers:
            hint = "Give the model blocks that shrink the image further, or choose a finer output_level."
            raise graph.problem(f"there is nothing to enlarge from {start} to {self.output_level}", hint)
        if self.filters and len(self.filters) != len(numbers):
            names = ", ".join(f"P{number}" for number in numbers)
            message = f"'filters' counts {len(self.filters)} levels, and {len(numbers)} are made ({names})"
            raise graph.problem(message, "Give one number for each, the coarsest first.")
        for position, number in enumerate(numbers):
            filters = self.filters[position] if self.filters else max(16, tensor.shape[-1] // 2)
            with graph.block((), f"P{number}"):
                tensor = self._level(graph, tensor, maps.get(f"P{number}"), filters)
        return {self.output_level: tensor}

    def _level(self, graph: GraphBuilder, tensor: Tensor, skip: Tensor | None, filters: int) -> Tensor:
        size = skip.shape[:-1] if skip else tuple(2 * side for side in tensor.shape[:-1])
        if self.upsampling == "transposed":
            tensor = graph.add(TransposedConvolution(filters, 2, 2, "same"), tensor)
        if tensor.shape[:-1] != size:
            tensor = graph.add(Resizing(size, "bilinear" if self.upsampling == "bilinear" else "nearest"), tensor)
        if skip:
            tensor = graph.add(Concatenate(), tensor, skip)
        for _ in range(self.repeat):
            tensor = convolution(graph, tensor, filters, 3, use_bias=not self.batch_normalization)
            tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        return tensor


def _number(name: str) -> int:
    return int(name[1:])
