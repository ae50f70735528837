"""Blocks: specs that expand into graph nodes. One file per block."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec


class Block(Spec):
    """Base of all blocks."""

    name: str | None = None
    """The user's name for this block: shown in tables, and usable in recipe paths."""

    @abstractmethod
    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add this block's nodes after `tensor` and return its output."""


ROOM = Room("blocks", Block)
AnyBlock = Annotated[Block, Component("blocks")]
