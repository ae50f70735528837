"""Builds a `Graph` node by node, checking shapes at once and remembering the recipe line of every node."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cnnpipe.errors import Path, Place, Problem, ProblemError, dotted
from cnnpipe.graph.core import Graph, Node, NodeType, Shape, ShapeError
from cnnpipe.graph.nodes.input import Input

MAX_COUNT = 10_000


@dataclass(frozen=True)
class Tensor:
    """The output of a node while the graph is being built. `shape` is without the batch."""

    position: int
    shape: Shape


class GraphBuilder:
    """Collects nodes.

    Args:
        place_of: Gives the place of a recipe path, so that a shape that does not fit is an error at its line.
    """

    def __init__(self, place_of: Callable[[Path], Place | None] = lambda path: None) -> None:
        self._place_of = place_of
        self._nodes: list[Node] = []
        self._inputs: dict[str, int] = {}
        self._strides: list[float | None] = []
        self._features: dict[str, int] = {}
        self._path: Path = ()
        self._block = ""
        self._counted = 0
        self._named = 0

    @classmethod
    def behind(cls, graph: Graph) -> tuple[GraphBuilder, dict[str, Tensor]]:
        """Return a builder that goes on behind a graph, and the graph's outputs by name.

        Its nodes keep their names, so that its weights fit; strides are not known here.
        """
        builder = cls()
        builder._nodes, builder._inputs = list(graph.nodes), dict(graph.inputs)
        builder._strides, builder._features = [None] * len(graph.nodes), dict(graph.features)
        builder._named = len(graph.nodes)
        return builder, {name: Tensor(at, graph.nodes[at].shape) for name, at in graph.outputs.items()}

    @contextmanager
    def block(self, path: Path, name: str | None = None) -> Iterator[None]:
        """Mark all nodes added inside as made by the block at `path` (relative to the enclosing one).

        Tables show `name`, else the path; inside another block, what that one shows comes first: `stem.0`.
        """
        self._count()
        outer = self._path, self._block
        inside = f"{self._block}.{name or path[-1]}" if self._block else None
        self._path = (*self._path, *path)
        self._block = inside or name or dotted(self._path).removeprefix("model.")
        try:
            yield
        finally:
            self._path, self._block = outer

    def input(self, name: str, shape: Shape) -> Tensor:
        """Add a named input of the network."""
        tensor = self.add(Input(shape))
        self._inputs[name] = tensor.position
        return tensor

    def add(self, node_type: NodeType, *inputs: Tensor) -> Tensor:
        """Add a node and return its output.

        Raises:
            ProblemError: The inputs do not fit; the problem stands at the line of the current block.
        """
        try:
            shape = node_type.output_shape(*(tensor.shape for tensor in inputs))
        except ShapeError as error:
            raise self.problem(str(error), error.hint) from None
        self._count()
        positions = tuple(tensor.position for tensor in inputs)
        place = self._place_of(self._path)
        node = Node(node_type.kind, node_type, positions, shape, self._block, dotted(self._path), place)
        self._nodes.append(node)
        self._strides.append(self._stride(node_type, inputs))
        return Tensor(len(self._nodes) - 1, shape)

    def output_of(self, block: str) -> Tensor | None:
        """Return the last output of the block that tables call so, or None when there is no such block."""
        for position, node in reversed(list(enumerate(self._nodes))):
            if node.block == block or node.block.startswith(f"{block}."):
                return Tensor(position, node.shape)
        return None

    def blocks(self) -> list[str]:
        """Return what tables call the blocks so far, and those that these lie in."""
        parts = [node.block.split(".") for node in self._nodes if node.block]
        return list(dict.fromkeys(".".join(names[:end]) for names in parts for end in range(1, len(names) + 1)))

    def feature(self, tensor: Tensor) -> None:
        """Mark a map as the feature map of its level: `Pn` where the stride is 2**n on every axis. The last one counts.

        Maps of other strides, and vectors, are no feature maps and stay unmarked. `P0`, as large as the input, is for
        necks alone: the graph does not keep it.
        """
        stride = self.stride(tensor) if len(tensor.shape) > 1 else None
        level = math.log2(stride) if stride else 0.0
        if stride and level.is_integer() and level >= 0:
            self._features[f"P{int(level)}"] = tensor.position

    def levels(self) -> dict[str, Tensor]:
        """Return the feature maps so far by level, finest first."""
        found = sorted(self._features.items(), key=lambda item: int(item[0][1:]))
        return {name: Tensor(position, self._nodes[position].shape) for name, position in found}

    def stride(self, tensor: Tensor) -> float | None:
        """Return how many values of the network's input lie between two of a tensor; None: axes differ, or all mix."""
        return self._strides[tensor.position]

    def _stride(self, node_type: NodeType, inputs: tuple[Tensor, ...]) -> float | None:
        """Return the stride of a new node; a gate that was pooled over all positions has none to add to its map's."""
        if not inputs:
            return 1.0
        window = node_type.window(*(tensor.shape for tensor in inputs))
        before = {self.stride(tensor) for tensor in inputs}
        if len(before) > 1:
            before.discard(None)
        after = set(window.strides) if window else set()
        (stride,), (factor,) = (before, after) if len(before) == len(after) == 1 else ((None,), (0.0,))
        return stride * factor if stride is not None else None

    def _count(self) -> None:
        """Count layers and blocks, so that a mistyped `repeat` is a problem and not a machine out of memory."""
        self._counted += 1
        if self._counted > MAX_COUNT:
            raise self.problem(f"the network has more than {MAX_COUNT:,} layers", "Make 'repeat' smaller.")

    def problem(self, message: str, hint: str = "") -> ProblemError:
        """Return a problem at the line of the current block, to be raised."""
        return ProblemError(Problem(message, self._place_of(self._path), dotted(self._path), hint))

    def build(self, outputs: Mapping[str, Tensor]) -> Graph:
        """Return the graph that ends in these named outputs. Nodes get names of fixed width in graph order.

        Nodes that lead to no output are left out, such as the last blocks of a backbone that a neck does not read.
        """
        kept = self._leading_to([tensor.position for tensor in outputs.values()])
        first = self._named  # nodes before it have names already, whose numbers count dropped ones too
        width = max(3, len(str(max(len(kept), first))))
        nodes = tuple(
            replace(
                node,
                name=node.name if old < first else f"n{old if first else new:0{width}d}_{node.name}",
                inputs=tuple(kept[read] for read in node.inputs),
            )
            for old, new, node in ((old, new, self._nodes[old]) for old, new in kept.items())
        )
        ends = {name: kept[tensor.position] for name, tensor in outputs.items()}
        inputs = {name: kept[position] for name, position in self._inputs.items()}
        features = {name: kept[at] for name, at in self._features.items() if name != "P0" and at in kept}
        return Graph(nodes, inputs, ends, features)

    def _leading_to(self, ends: Iterable[int]) -> dict[int, int]:
        """Return the positions of the inputs and of all nodes that the ends need, with their new positions."""
        needed, waiting = set(self._inputs.values()), list(ends)
        while waiting:
            position = waiting.pop()
            if position not in needed:
                needed.add(position)
                waiting.extend(self._nodes[position].inputs)
        return {old: new for new, old in enumerate(sorted(needed))}
