"""Necks: specs that turn the feature maps of a backbone into other feature maps. One file per neck."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

Level = Literal["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]
"""A feature map by its stride: `Pn` has 2**n."""


class Neck(Spec):
    """Base of all necks."""

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """What the conformance test builds this neck with, on the maps P0 to P5 of an image of 64x64; at least one."""

    type: str

    @abstractmethod
    def expand(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Add this neck's nodes and return its maps by level.

        Args:
            graph: Where to add.
            maps: Feature maps by level, finest first: `Pn` has stride 2**n; `P0` is as large as the image.

        Raises:
            ProblemError: A level is missing that the neck reads.
        """


def level(graph: GraphBuilder, maps: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the map of a level.

    Raises:
        ProblemError: There is none; names those that there are.
    """
    if name not in maps:
        known = ", ".join(maps) or "none: blocks that shrink the image make them"
        raise graph.problem(f"the model has no feature map {name} (stride {2 ** int(name[1:])})", f"It has {known}.")
    return maps[name]


ROOM = Room("necks", Neck)
AnyNeck = Annotated[Neck, Component("necks")]
