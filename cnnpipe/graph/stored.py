"""Graphs in files: nodes without shapes, so that one file serves every input size. Compressed JSON.

A file holds `nodes`, each `[kind, options]` or `[kind, options, inputs]`, and `features`, the tensors that are feature
maps by level. Tensor 0 is what the network reads, tensor n the output of the n-th node; without `inputs` a node reads
the tensor before it. Options are those of the node type that differ from its defaults.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnpipe.graph.builder import GraphBuilder, Tensor
from cnnpipe.graph.core import NodeType


@dataclass(frozen=True)
class StoredNode:
    """A node and the tensors that it reads."""

    type: NodeType
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class StoredGraph:
    """A network without input: nodes in order, and its feature maps by level, the highest last."""

    nodes: tuple[StoredNode, ...]
    features: Mapping[str, int]

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes after `tensor`, in one block per feature level, mark the features and return the last output.

        Raises:
            ProblemError: A shape does not fit; the problem stands at the line of the current block.
        """
        tensors = [tensor]
        for level, nodes in self._stages():
            with graph.block((), level):
                for node in nodes:
                    tensors.append(graph.add(node.type, *(tensors[position] for position in node.inputs)))
        for position in self.features.values():
            graph.feature(tensors[position])
        return tensors[-1]

    def _stages(self) -> Iterator[tuple[str, tuple[StoredNode, ...]]]:
        """Yield the nodes up to each feature map by its level; what comes after the last one belongs to it."""
        start = 0
        for level, end in self.features.items():
            end = len(self.nodes) if level == list(self.features)[-1] else end
            yield level, self.nodes[start:end]
            start = end


def read_graph(file: Path) -> StoredGraph:
    """Read what `write_graph` wrote."""
    content = json.loads(gzip.decompress(file.read_bytes()))
    kinds = node_types()
    nodes = []
    for number, (kind, options, *rest) in enumerate(content["nodes"]):
        (inputs,) = rest or ([number],)
        nodes.append(StoredNode(kinds[kind](**{key: _frozen(value) for key, value in options.items()}), tuple(inputs)))
    return StoredGraph(tuple(nodes), content["features"])


def write_graph(file: Path, graph: StoredGraph) -> None:
    """Write a graph; the same one gives the same bytes."""
    rows = []
    for number, node in enumerate(graph.nodes):
        row: list[Any] = [node.type.kind, _options(node.type)]
        rows.append(row if node.inputs == (number,) else [*row, node.inputs])
    text = json.dumps({"nodes": rows, "features": graph.features}, separators=(",", ":"))
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


@functools.cache
def node_types() -> Mapping[str, type[NodeType]]:
    """Return all node types by their kind."""
    package = importlib.import_module("cnnpipe.graph.nodes")
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    ]
    members = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return {value.kind: value for value in members if issubclass(value, NodeType) and "kind" in vars(value)}


def _options(node: NodeType) -> dict[str, Any]:
    fields = {field.name: field.default for field in dataclasses.fields(node)}
    return {name: getattr(node, name) for name, default in fields.items() if getattr(node, name) != default}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
