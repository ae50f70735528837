"""Factors and offsets of channels folded into the weights before them, and layers left out that only training needs.

Folded are BatchNorm, rescaling, normalization and learned channel scales (all are `x * scale + offset` per channel)
into a convolution, depthwise or transposed convolution or dense layer that nothing else reads (Jacob et al. 2018,
section 3.2). One that has none before it becomes a depthwise convolution with a 1x1 window. The folded network says the
same, up to rounding.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnpipe.graph.core import Graph, Node, NodeType, Shape
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.rescaling import ChannelScale, Normalization, Rescaling
from cnnpipe.graph.nodes.resize import TransposedConvolution

if TYPE_CHECKING:
    import numpy as np

AFFINE = (BatchNormalization, Rescaling, Normalization, ChannelScale)
CARRIERS = (Convolution, DepthwiseConvolution, TransposedConvolution, Dense)
NORMALIZATION_EPSILON = 1e-7
"""Least standard deviation that Keras's `Normalization` divides by."""


@dataclass(frozen=True)
class Folded:
    """A folded network.

    Args:
        graph: It. Nodes that remain keep their names.
        original: What was folded.
        sources: For each of its nodes with weights, the nodes of the original whose weights it holds, in order.
    """

    graph: Graph
    original: Graph
    sources: Mapping[str, tuple[str, ...]]

    def weights(self, original: Mapping[str, Sequence[np.ndarray]]) -> dict[str, list[np.ndarray]]:
        """Return the weights of the folded network by node, computed in float64 and stored in float32.

        Args:
            original: Those of the original by node, in Keras's order.
        """
        old, new = ({node.name: node for node in graph.nodes} for graph in (self.original, self.graph))
        return {
            name: _combined(new[name], [(old[source], original.get(source, ())) for source in sources], self.original)
            for name, sources in self.sources.items()
        }


def fold(graph: Graph, keep_input_rescaling: bool = True) -> Folded:
    """Fold a network.

    Args:
        graph: The network.
        keep_input_rescaling: Whether the rescaling of an input by one scale and offset stays as it is: the input tensor
            of a file can carry it.
    """
    folding = _Folding(graph, keep_input_rescaling)
    for position in range(len(graph.nodes)):
        folding.take(position)
    return folding.done()


class _Folding:
    """The folded graph as far as it is."""

    def __init__(self, graph: Graph, keep_input_rescaling: bool) -> None:
        self._graph, self._keep_input_rescaling = graph, keep_input_rescaling
        self._nodes: list[Node] = []
        self._at: list[int] = []  # the new position of what each old node gives
        self._sources: dict[str, tuple[str, ...]] = {}
        self._readers = _readers(graph)

    def take(self, position: int) -> None:
        """Take over the next node."""
        node = self._graph.nodes[position]
        inputs = tuple(self._at[read] for read in node.inputs)
        if _is_identity(node.type):
            self._at.append(inputs[0])
        elif not isinstance(node.type, AFFINE) or self._stays(node):
            self._at.append(self._add(replace(node, inputs=inputs), (node.name,)))
        elif self._carried(node):
            self._at.append(self._fold_into(inputs[0], node))
        else:
            self._at.append(self._depthwise(node, inputs[0]))

    def done(self) -> Folded:
        """Return the folded graph."""
        graph = self._graph
        inputs, outputs, features = (
            {name: self._at[old] for name, old in named.items()}
            for named in (graph.inputs, graph.outputs, graph.features)
        )
        new = Graph(tuple(self._nodes), inputs, outputs, features)
        weighted = {node.name for node in new.nodes if node.type.weights(*new.input_shapes(node))}
        return Folded(new, graph, {name: sources for name, sources in self._sources.items() if name in weighted})

    def _add(self, node: Node, sources: tuple[str, ...] = ()) -> int:
        self._nodes.append(node)
        self._sources[node.name] = sources
        return len(self._nodes) - 1

    def _stays(self, node: Node) -> bool:
        kind = node.type
        if not self._keep_input_rescaling or not isinstance(kind, Rescaling):
            return False
        if node.inputs[0] not in self._graph.inputs.values():
            return False
        return not isinstance(kind.scale, tuple) and not isinstance(kind.offset, tuple)

    def _carried(self, node: Node) -> bool:
        before = self._nodes[self._at[node.inputs[0]]]
        return isinstance(before.type, CARRIERS) and self._readers[node.inputs[0]] == 1

    def _fold_into(self, position: int, node: Node) -> int:
        before = self._nodes[position]
        self._nodes[position] = replace(before, type=replace(before.type, use_bias=True))  # type: ignore[call-arg]
        self._sources[before.name] += (node.name,)
        return position

    def _depthwise(self, node: Node, read: int) -> int:
        """Add a 1x1 depthwise convolution for a node; what is no map in 2D is one while it is scaled."""
        convolution = replace(node, type=DepthwiseConvolution(1))
        if len(node.shape) == 3:
            return self._add(replace(convolution, inputs=(read,)), (node.name,))
        flat = (1, math.prod(node.shape[:-1]), node.shape[-1])
        read = self._reshape(node, "as_map", flat, read)
        read = self._add(replace(convolution, inputs=(read,), shape=flat), (node.name,))
        return self._reshape(node, "as_before", node.shape, read)

    def _reshape(self, node: Node, word: str, shape: Shape, read: int) -> int:
        return self._add(replace(node, name=f"{node.name}_{word}", type=Reshape(shape), inputs=(read,), shape=shape))


def _is_identity(kind: NodeType) -> bool:
    """Return whether a node does nothing outside of training."""
    linear = isinstance(kind, Activation) and kind.activation == "linear"
    return linear or isinstance(kind, Dropout | StochasticDepth)


def _readers(graph: Graph) -> list[int]:
    """Return how often what each node gives is read, also through nodes that do nothing; being an output counts."""
    through: list[int] = []
    counts: Counter[int] = Counter()
    for position, node in enumerate(graph.nodes):
        if _is_identity(node.type):
            through.append(through[node.inputs[0]])
        else:
            counts.update(through[read] for read in node.inputs)
            through.append(position)
    counts.update(through[position] for position in graph.outputs.values())
    return [counts[position] for position in through]


def _combined(node: Node, parts: Sequence[tuple[Node, Sequence[np.ndarray]]], original: Graph) -> list[np.ndarray]:
    """Return the weights of a folded node: those of its first part, scaled and moved by the others."""
    import numpy as np

    (first, arrays), affine = parts[0], parts[1:]
    bias: Any = 0.0
    if isinstance(first.type, AFFINE):
        kernel, affine = np.ones((1, 1, node.shape[-1], 1)), parts
    elif affine:
        kernel = np.asarray(arrays[0], np.float64)
        bias = np.asarray(arrays[1], np.float64) if len(arrays) > 1 else 0.0
    else:
        return [np.asarray(array) for array in arrays]
    for part, values in affine:
        scale, offset = _affine(part, values, original.input_shapes(part))
        kernel, bias = kernel * _per_kernel(scale, node.type, kernel.shape), bias * scale + offset
    return [kernel.astype(np.float32), np.broadcast_to(bias, node.shape[-1:]).astype(np.float32)]


def _affine(node: Node, arrays: Sequence[np.ndarray], shapes: Sequence[Shape]) -> tuple[Any, Any]:
    """Return scale and offset per channel, float64."""
    import numpy as np

    kind, channels = node.type, node.shape[-1]
    values = [np.asarray(array, np.float64) for array in arrays]
    named = dict(zip(kind.weights(*shapes), values, strict=True))
    if isinstance(kind, BatchNormalization):
        scale = named.get("gamma", np.ones(channels)) / np.sqrt(named["moving_variance"] + kind.epsilon)
        return scale, named.get("beta", 0.0) - named["moving_mean"] * scale
    if isinstance(kind, ChannelScale):
        return named["kernel"].reshape(channels), np.zeros(channels)
    if isinstance(kind, Normalization):
        mean = np.asarray(kind.mean if kind.mean is not None else named["mean"], np.float64)
        variance = np.asarray(kind.variance if kind.mean is not None else named["variance"], np.float64)
        scale = 1 / np.maximum(np.sqrt(variance), NORMALIZATION_EPSILON)
        return np.broadcast_to(scale, (channels,)), np.broadcast_to(-mean * scale, (channels,))
    if isinstance(kind, Rescaling):
        pair = kind.scale, kind.offset
        scale, offset = (np.broadcast_to(np.asarray(value, np.float64), (channels,)) for value in pair)
        return scale, offset
    raise TypeError(f"{kind.kind} is no factor and offset per channel")


def _per_kernel(scale: np.ndarray, kind: NodeType, shape: Shape) -> np.ndarray:
    """Return factors of output channels such that they multiply a kernel of that shape."""
    if isinstance(kind, DepthwiseConvolution):
        return scale.reshape(shape[-2:])
    return scale[:, None] if isinstance(kind, TransposedConvolution) else scale
