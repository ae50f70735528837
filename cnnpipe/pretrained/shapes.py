"""Whether a weights file can be of a network, by the shapes of its arrays: no TensorFlow, and before data is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnpipe.backbones._application import Application
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Shape


def check_shapes(file: Path, backbone: Application, shape: Shape) -> None:
    """Refuse a file that lacks arrays of the network. Their order is compared when they are loaded.

    Args:
        file: An HDF5 file that can be read.
        backbone: The network.
        shape: Height, width and channels of its input.

    Raises:
        ProblemError: It lacks some.
    """
    import h5py

    from cnnpipe.applications import backbone_graph

    graph = backbone_graph(backbone, shape)
    nodes = [node.type.weights(*graph.input_shapes(node)) for node in graph.nodes]
    wanted = Counter(_lengths(shape) for weights in nodes for shape in weights.values())
    with h5py.File(file) as content:
        missing = wanted - Counter(_shapes(content))
    if missing:
        lacking = " x ".join(map(str, max((len(one), one) for one in missing)[1]))
        raise ProblemError(Problem(
            f"{file} does not fit '{backbone.type}' ({backbone.keras_function.text}): it lacks "
            f"{missing.total()} of its {wanted.total()} arrays, such as one of {lacking}",
            hint="Give the file of the same network without its head, or the options of the network in the file.",
        ))  # fmt: skip


def _shapes(group: Mapping[str, Any]) -> Iterator[Shape]:
    """Return the lengths of all arrays of a file."""
    for item in group.values():
        if isinstance(item, Mapping):
            yield from _shapes(item)
        else:
            yield _lengths(item.shape)


def _lengths(shape: Shape) -> Shape:
    """Return a shape without axes of length 1: a scale per channel may be kept as a 1x1 convolution."""
    return tuple(length for length in shape if length != 1)
