"""Writes the stored graphs of all backbones: `python -m cnnpipe.applications [TYPE ...]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from cnnpipe.applications import keras_model
from cnnpipe.applications.importing import ImportedNode, import_model
from cnnpipe.applications.taps import feature_taps
from cnnpipe.backbones import ROOM
from cnnpipe.backbones._application import GRAPHS, Application
from cnnpipe.backbones._block_family import BlockFamily
from cnnpipe.graph import NodeType
from cnnpipe.graph.nodes.padding import CenteredPadding, ZeroPadding
from cnnpipe.graph.stored import StoredGraph, StoredNode, write_graph

SIZES = (224, 225, 259)
"""Input sizes that between them give every map that is halved an even and an odd size, after stems of any padding."""


def applications() -> Iterator[Application]:
    """Yield every variant of every family that is stored."""
    for name in ROOM.names():
        family = ROOM.load(name)
        if issubclass(family, Application):
            for variant in family.variants if not issubclass(family, BlockFamily) else ():
                yield family.model_validate({**variant, "weights": "none"})


def make_graph(backbone: Application) -> StoredGraph:
    """Return the graph of a network as keras.applications makes it."""
    import keras

    keras.backend.clear_session()
    imported = (import_model(keras_model(backbone, None, (size, size, 3))) for size in SIZES)
    nodes = tuple(_node(same) for same in zip(*imported, strict=True))
    return StoredGraph(nodes, feature_taps(nodes, (SIZES[0], SIZES[0], 3)))


def _node(same: Sequence[ImportedNode]) -> StoredNode:
    """Return a node, given as it is for each size; padding that differs follows the size of the map.

    Raises:
        ValueError: Something else differs.
    """
    node_type = same[0].type
    if isinstance(node_type, ZeroPadding) and any(node.type != node_type for node in same):
        node_type = CenteredPadding(2 * max(_largest(node.type) for node in same) + 1)
    for node in same:
        if node_type.keras_layer(*node.reads) != node.type.keras_layer(*node.reads) or node.inputs != same[0].inputs:
            raise ValueError(f"{node.layer} depends on the size of the input: {[other.type for other in same]}")
    return StoredNode(node_type, same[0].inputs)


def _largest(node_type: NodeType) -> int:
    pairs = node_type.padding if isinstance(node_type, ZeroPadding) else 0
    return pairs if isinstance(pairs, int) else max(max(pair) for pair in pairs)


def main(families: Sequence[str]) -> None:
    """Write the graphs of these types, or of all."""
    GRAPHS.mkdir(exist_ok=True)
    for backbone in applications():
        if not families or backbone.type in families:
            graph = make_graph(backbone)
            write_graph(GRAPHS / f"{backbone.graph_name}.json.gz", graph)
            sys.stdout.write(f"{backbone.graph_name}: {len(graph.nodes)} nodes, {dict(graph.features)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
