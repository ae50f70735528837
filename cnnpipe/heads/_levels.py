"""The feature maps that heads of objects read: how many cells each level has, and whether a map has as many."""

from __future__ import annotations

from collections.abc import Mapping

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import text
from cnnpipe.necks import level


def stride(name: str) -> int:
    """Return how many pixels lie between two cells of a level: 2**n for `Pn`."""
    return 1 << int(name[1:])


def cells(name: str, image: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of a level's map, for images of this height and width."""
    return -(-image[0] // stride(name)), -(-image[1] // stride(name))


def read(graph: GraphBuilder, maps: Mapping[str, Tensor], name: str, image: tuple[int, int]) -> Tensor:
    """Return the map of a level.

    Raises:
        ProblemError: There is none, or its size is not that of the image divided by its stride.
    """
    tensor, size = level(graph, maps, name), cells(name, image)
    if tensor.shape[:-1] != size:
        message = f"the map {name} is {text(tensor.shape[:-1])}, and an image of {text(image)} has {text(size)} cells"
        raise graph.problem(message, "Use padding same, so that the middles of the cells are known.")
    return tensor
