"""Blocks that are repeated."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import Self

from cnnpipe.blocks import AnyBlock, Block, Example
from cnnpipe.blocks._fields import Positive
from cnnpipe.blocks._scaling import Scaling
from cnnpipe.graph import GraphBuilder, Tensor


class Stage(Block):
    """A list of blocks, all of it `repeat` times, each time with weights of its own.

    In tables the blocks inside are called `stage.0`, `stage.1` ... or by their names; repeated ones have the number of
    the repetition before that, from 0: `stage.2.0`.

    Output shape: that of the last block.

    Source: the stages of He et al. 2016, table 1.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"blocks": ({"type": "conv", "filters": 4}, "max_pooling")},
        {
            "repeat": 2,
            "blocks": ({"type": "conv", "filters": 4, "name": "inner"}, {"type": "stage", "blocks": ("dropout",)}),
        },
    )

    also_called: ClassVar[tuple[str, ...]] = ("sequential", "repeat", "group", "blocks")
    type: Literal["stage"] = "stage"
    repeat: Positive = 1
    """How many times the blocks stand one after the other."""
    blocks: tuple[AnyBlock, ...] = Field(min_length=1)
    """Blocks in order, each reading the one before."""

    def scaled(self, scaling: Scaling) -> Self:
        """Return the stage with more or fewer repetitions of blocks that are scaled too."""
        return super().scaled(scaling).model_copy(update={"blocks": tuple(b.scaled(scaling) for b in self.blocks)})

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes of all blocks and return the last output."""
        for repetition in range(self.repeat):
            for number, block in enumerate(self.blocks):
                label = block.name or str(number)
                with graph.block(("blocks", number), f"{repetition}.{label}" if self.repeat > 1 else label):
                    tensor = block.expand(graph, tensor)
        return tensor
