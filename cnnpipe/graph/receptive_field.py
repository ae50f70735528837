"""How much of the network's input one value of each tensor sees."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cnnpipe.graph.core import Graph, Node, Window
from cnnpipe.graph.nodes.input import Input


@dataclass(frozen=True)
class _Field:
    """`size` input values are seen, neighbours see `step` further; `limit` is the input's size. All per axis."""

    size: tuple[float, ...]
    step: tuple[float, ...]
    limit: tuple[int, ...]


def receptive_fields(graph: Graph) -> list[list[int] | None]:
    """Return for each node the input values, per spatial axis, that one of its output values can see.

    A window of k values, d apart, adds d (k - 1) steps of its input, and its strides multiply the step (Araujo et al.
    2019, "Computing receptive fields of convolutional neural networks", equation 2). Where branches meet the largest
    counts. Padding is not counted off: it is the field in the middle of the map.

    Returns:
        None once the whole input is seen: after a node that mixes all positions (global pooling, dense on a vector,
        group normalization), or where the field covers the input on every axis. A single axis ends at the input's size.
    """
    fields: list[_Field | None] = []
    for node in graph.nodes:
        fields.append(_field(graph, node, [fields[position] for position in node.inputs]))
    return [None if field is None else _whole(field) for field in fields]


def _field(graph: Graph, node: Node, reads: list[_Field | None]) -> _Field | None:
    if isinstance(node.type, Input):
        ones = (1.0,) * (len(node.shape) - 1)
        return _Field(ones, ones, node.shape[:-1])
    window = node.type.window(*graph.input_shapes(node))
    known = [field for field in reads if field is not None]
    if window is None or len(known) < len(reads):
        return None
    widest = _largest(known)
    if len(window.kernel) not in (0, len(widest.size)):  # the axes of the input are no longer those of the map
        return None
    field = _seen_through(window, widest)
    covered = field.limit and all(size >= limit for size, limit in zip(field.size, field.limit, strict=True))
    return None if covered else field


def _largest(fields: list[_Field]) -> _Field:
    size = tuple(max(sizes) for sizes in zip(*(field.size for field in fields), strict=True))
    step = tuple(max(steps) for steps in zip(*(field.step for field in fields), strict=True))
    return replace(fields[0], size=size, step=step)


def _seen_through(window: Window, field: _Field) -> _Field:
    if not window.kernel:  # a vector: its values have no neighbours
        return field
    reach = zip(field.size, field.step, window.kernel, window.dilation, strict=True)
    size = tuple(size + step * dilation * (kernel - 1) for size, step, kernel, dilation in reach)
    return replace(field, size=size, step=tuple(s * t for s, t in zip(field.step, window.strides, strict=True)))


def _whole(field: _Field) -> list[int]:
    return [min(math.ceil(size - 1e-9), limit) for size, limit in zip(field.size, field.limit, strict=True)]
