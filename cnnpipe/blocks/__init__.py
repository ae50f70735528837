"""Blocks: specs that expand into graph nodes. One file per block."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

Example = Mapping[str, Any]
"""Values of a spec's fields."""


class Block(Spec):
    """Base of all blocks."""

    examples: ClassVar[tuple[Example, ...]] = ()
    """What the conformance test builds this block with, each way through `expand` once; at least one."""
    example_input: ClassVar[Shape] = (16, 16, 8)
    """Shape of the tensor that the examples read."""

    name: str | None = None
    """The user's name for this block: shown in tables, and usable in recipe paths."""

    @abstractmethod
    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add this block's nodes after `tensor` and return its output."""


ROOM = Room("blocks", Block)
AnyBlock = Annotated[Block, Component("blocks")]
