"""Fake quantization put into a folded network where LiteRT's int8 operators round (Jacob et al. 2018, section 3).

Kernels are rounded in their layers. Activations are rounded after the input and after every node that computes; where
the converter joins a ReLU with the operator before it, after the ReLU. What only moves or pools values keeps their
range. Tensors that meet in a concatenation share one range, because it cannot rescale them; where the range of one is
prescribed, each keeps its own, and the converter brings them to that of the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cnnpipe.errors import Problem
from cnnpipe.exporters import Granularity
from cnnpipe.graph import Graph, Node, NodeType
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.input import Input
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.padding import CenteredPadding, Cropping, ZeroPadding
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, GlobalMaxPooling, MaxPooling
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.rescaling import Rescaling
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling
from cnnpipe.quantization.aware.nodes import FakeQuantization, FakeQuantizedWeights, SharedFakeQuantization

Range = tuple[float, float]
WEIGHTED = (Convolution, DepthwiseConvolution, TransposedConvolution, Dense)
COMPUTES = (*WEIGHTED, Add, Multiply, GlobalAveragePooling)
KEEPS_RANGE = (
    MaxPooling, AveragePooling, GlobalMaxPooling, Flatten, Reshape, ZeroPadding, CenteredPadding, Cropping, Resizing,
    Upsampling,
)  # fmt: skip
"""What LiteRT computes without rescaling. Bilinear resizing rounds once more, to the same steps; so does average
pooling, but it rounds halves another way than fake quantization, which then brings it no nearer. A concatenation rounds
nothing, but the converter loses its range where several read it, unless that is said again after it."""
TAKES_RELU = (Convolution, DepthwiseConvolution, Dense, Add, Multiply)
"""What the converter joins with a ReLU after it."""
RELU = ("relu", "relu6")
FIXED: dict[str, Range] = {
    "sigmoid": (0.0, 255 / 256),
    "softmax": (0.0, 255 / 256),
    "tanh": (-1.0, 127 / 128),
}
"""Ranges that LiteRT's operators prescribe for their results."""
ACTIVATIONS = (*RELU, *FIXED, "hard_silu", "hard_swish", "leaky_relu")
PIXELS: Range = (0.0, 255.0)


def unfit(graph: Graph) -> Iterator[Problem]:
    """Yield the nodes of an expanded and folded network that have no int8 form here, each at its recipe line."""
    for node in graph.nodes:
        if why := _unfit(graph, node):
            yield Problem(
                f"cannot be trained quantization-aware: {why}",
                node.place,
                node.path,
                hint="Leave out quantization_aware, or use another layer there.",
            )


def _unfit(graph: Graph, node: Node) -> str:
    kind = node.type
    if isinstance(kind, Input | Rescaling | Concatenate):
        return ""
    if isinstance(kind, Activation):
        return "" if kind.activation in ACTIVATIONS else f"the activation '{kind.activation}'"
    if not isinstance(kind, COMPUTES + KEEPS_RANGE):
        return f"the layer {kind.kind}"
    ranks = {len(shape) for shape in (node.shape, *graph.input_shapes(node))}
    if max(ranks) > 3 or (2 in ranks and not isinstance(kind, Reshape)):
        return f"the layer {kind.kind} on a map in {max(ranks) - 1}D"
    return ""


def carried_range(scale: float, offset: float) -> Range:
    """Return the range of an input tensor that carries a normalization: pixel p is the stored value p - 128.

    The offset is moved to the nearest whole number of steps, because a zero point is one; so a device sees it.
    """
    low = -round(-offset / scale) * scale
    return low, low + 255 * scale


def insert(graph: Graph, granularity: Granularity, pixels: bool) -> Graph:
    """Return a network with fake quantization.

    Args:
        graph: The network, expanded and folded, without anything that `unfit` tells. A rescaling of the input that is
            left in it is one that the input tensor of the file carries.
        granularity: Whether kernels have a scale for each output channel; dense has one in any case.
        pixels: Whether inputs are pixels from 0 to 255, whose range is known.
    """
    return _Insertion(graph, granularity, pixels).done()


@dataclass(frozen=True)
class _Ranges:
    """Where a network gets ranges, by position: calibrated ones, and fixed ones."""

    calibrated: frozenset[int]
    fixed: dict[int, Range]

    def __contains__(self, position: int) -> bool:
        return position in self.calibrated or position in self.fixed


class _Insertion:
    """The network with fake quantization as far as it is."""

    def __init__(self, graph: Graph, granularity: Granularity, pixels: bool) -> None:
        self._graph, self._granularity = graph, granularity
        self._ranges = _ranges(graph, pixels)
        self._groups = _shared(graph, self._ranges)
        self._nodes: list[Node] = []
        self._at: list[int] = []
        self._first: dict[int, tuple[str, int]] = {}  # of each group the name of its range, and tensors so far

    def done(self) -> Graph:
        """Return the whole network."""
        graph = self._graph
        for position, node in enumerate(graph.nodes):
            inputs = tuple(self._at[read] for read in node.inputs)
            made = self._add(replace(node, type=self._type(node.type), inputs=inputs))
            self._at.append(self._ranged(node, made, position) if position in self._ranges else made)
        names = {node.name: number for number, node in enumerate(self._nodes)}
        inputs_ = {name: names[graph.nodes[old].name] for name, old in graph.inputs.items()}
        outputs, features = ({n: self._at[old] for n, old in ends.items()} for ends in (graph.outputs, graph.features))
        return Graph(tuple(self._nodes), inputs_, outputs, features)

    def _type(self, kind: NodeType) -> NodeType:
        if isinstance(kind, WEIGHTED):
            return FakeQuantizedWeights(kind, self._granularity)
        if isinstance(kind, Rescaling):
            return replace(kind, offset=carried_range(*_one_pair(kind))[0])
        return kind

    def _add(self, node: Node) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _ranged(self, node: Node, made: int, position: int) -> int:
        """Add the range after a node."""
        if position in self._ranges.fixed:
            return self._range(node, FakeQuantization(fixed=self._ranges.fixed[position]), made)
        group = self._groups.get(position, position)
        if group in self._first:
            name, seen = self._first[group]
            self._first[group] = name, seen + 1
            return self._range(node, SharedFakeQuantization(name, seen), made)
        self._first[group] = f"{node.name}_range", 1
        members = sum(1 for other in self._groups.values() if other == group)
        return self._range(node, FakeQuantization(max(1, members)), made)

    def _range(self, node: Node, kind: NodeType, read: int) -> int:
        return self._add(replace(node, name=f"{node.name}_range", type=kind, inputs=(read,)))


def _ranges(graph: Graph, pixels: bool) -> _Ranges:
    calibrated: set[int] = set()
    fixed: dict[int, Range] = {}
    readers = _readers(graph)
    for position, node in enumerate(graph.nodes):
        prescribed = _prescribed(node.type, pixels)
        if _joins(node.type):
            so_far = _Ranges(frozenset(calibrated), fixed)
            found = [o for read in node.inputs for o in _origins(graph, so_far, read) if o in fixed]
            if found and not isinstance(node.type, Concatenate):
                fixed[position] = fixed[found[0]]
            else:
                calibrated.add(position)
        elif isinstance(node.type, Input) and any(isinstance(reader.type, Rescaling) for reader in readers[position]):
            continue
        elif prescribed is not None:
            fixed[position] = prescribed
        elif isinstance(node.type, Input | Activation):
            calibrated.add(position)
        elif isinstance(node.type, COMPUTES) and not _takes_relu(graph, position, readers[position]):
            calibrated.add(position)
    return _Ranges(frozenset(calibrated), fixed)


def _prescribed(kind: NodeType, pixels: bool) -> Range | None:
    """Return the range of a node's result where it needs no calibration."""
    if isinstance(kind, Rescaling):
        return carried_range(*_one_pair(kind))
    if isinstance(kind, Input):
        return PIXELS if pixels else None
    return FIXED.get(kind.activation) if isinstance(kind, Activation) else None


def _one_pair(kind: Rescaling) -> tuple[float, float]:
    if isinstance(kind.scale, tuple) or isinstance(kind.offset, tuple):
        raise TypeError("an input tensor cannot carry a scale for each channel")
    return kind.scale, kind.offset


def _joins(kind: NodeType) -> bool:
    """Return whether a node rounds once more, to the steps of what it reads."""
    return isinstance(kind, Concatenate) or (
        isinstance(kind, Resizing | Upsampling) and kind.interpolation == "bilinear"
    )


def _readers(graph: Graph) -> list[list[Node]]:
    readers: list[list[Node]] = [[] for _ in graph.nodes]
    for node in graph.nodes:
        for read in node.inputs:
            readers[read].append(node)
    return readers


def _takes_relu(graph: Graph, position: int, readers: list[Node]) -> bool:
    """Return whether the converter joins a node with the ReLU after it."""
    if not isinstance(graph.nodes[position].type, TAKES_RELU) or position in graph.outputs.values():
        return False
    kinds = [reader.type for reader in readers]
    return len(kinds) == 1 and isinstance(kinds[0], Activation) and kinds[0].activation in RELU


def _shared(graph: Graph, ranges: _Ranges) -> dict[int, int]:
    """Return the number of the group of each node that shares its range with others."""
    groups: dict[int, int] = {}
    for position, node in enumerate(graph.nodes):
        members = [origin for read in node.inputs for origin in _origins(graph, ranges, read)]
        if not _joins(node.type) or any(member in ranges.fixed for member in members):
            continue
        members.append(position)
        merged = {groups[member] for member in members if member in groups}
        groups |= dict.fromkeys(members, position)
        groups = {member: position if group in merged else group for member, group in groups.items()}
    return groups


def _origins(graph: Graph, ranges: _Ranges, read: int) -> list[int]:
    """Return the nodes that set the range of a tensor."""
    node = graph.nodes[read]
    if read in ranges:
        return [read]
    return [origin for before in node.inputs for origin in _origins(graph, ranges, before)]
