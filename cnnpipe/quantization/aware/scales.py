"""The scales of a written file against the ranges of the network that it was made of: exact at any depth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.errors import Problem
from cnnpipe.graph import Graph
from cnnpipe.litert_file import activation_scales
from cnnpipe.quantization.aware.nodes import FakeQuantization

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, list["np.ndarray"]]
LITERT = ".tflite"
STEPS = 255
TOLERANCE = 1e-4
"""Largest relative difference: the converter computes scales in float32."""


def bounds(node_type: FakeQuantization, arrays: list[np.ndarray]) -> tuple[float, float]:
    """Return the ends of a range as its layer takes them.

    Args:
        node_type: The range.
        arrays: Its weights; empty where it is fixed.
    """
    from cnnpipe.layers.fake_quantization import LEAST_RANGE

    if node_type.fixed:
        return node_type.fixed
    minimum, maximum = arrays
    low = min(float(minimum.min()), 0.0)
    return low, max(float(maximum.max()), low + LEAST_RANGE, 0.0)


def wrong_scales(graph: Graph, weights: Arrays, file: Path) -> Iterator[Problem]:
    """Yield the ranges of a network that a file made of it does not have. Only LiteRT files can be looked into.

    Args:
        graph: The network.
        weights: Its weights by node.
        file: The file.
    """
    if file.suffix != LITERT:
        return
    found = activation_scales(file.read_bytes())
    for node in graph.nodes:
        if not isinstance(node.type, FakeQuantization):
            continue
        low, high = bounds(node.type, weights.get(node.name, []))
        scale = (high - low) / STEPS
        if not any(math.isclose(scale, other, rel_tol=TOLERANCE) for other in found):
            layer = node.name.removesuffix("_range")
            yield Problem(f"{file.name} has no tensor of scale {scale:.6g}, the range of {layer} while it was trained")
