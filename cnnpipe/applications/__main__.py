"""Writes the stored graphs of all backbones: `python -m cnnpipe.applications [TYPE ...]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from cnnpipe.applications import keras_model
from cnnpipe.applications.importing import ImportedNode, import_model
from cnnpipe.applications.taps import feature_taps
from cnnpipe.backbones import ROOM
from cnnpipe.backbones._application import GRAPHS, Application
from cnnpipe.graph.nodes.padding import CenteredPadding, ZeroPadding
from cnnpipe.graph.stored import StoredGraph, StoredNode, write_graph

EVEN, ODD = 224, 225
"""Input sizes whose maps have even, and odd, sizes wherever a stride of 2 halves them."""


def applications() -> Iterator[Application]:
    """Yield every variant of every family."""
    for name in ROOM.names():
        family = ROOM.load(name)
        if issubclass(family, Application):
            for variant in family.variants:
                yield family.model_validate({**variant, "weights": "none"})


def make_graph(backbone: Application) -> StoredGraph:
    """Return the graph of a network as keras.applications makes it."""
    import keras

    keras.backend.clear_session()
    even, odd = (import_model(keras_model(backbone, None, (size, size, 3))) for size in (EVEN, ODD))
    nodes = tuple(_node(*both) for both in zip(even, odd, strict=True))
    return StoredGraph(nodes, feature_taps(nodes, (EVEN, EVEN, 3)))


def _node(even: ImportedNode, odd: ImportedNode) -> StoredNode:
    """Return a node; padding that differs between the two sizes follows the size of the map.

    Raises:
        ValueError: Something else differs.
    """
    node_type = even.type
    if isinstance(node_type, ZeroPadding) and node_type != odd.type and isinstance(odd.type, ZeroPadding):
        node_type = CenteredPadding(2 * _largest(odd.type) + 1)
    for node in (even, odd):
        if node_type.keras_layer(*node.reads) != node.type.keras_layer(*node.reads) or node.inputs != even.inputs:
            raise ValueError(f"{node.layer} depends on the size of the input: {even.type}, {odd.type}")
    return StoredNode(node_type, even.inputs)


def _largest(node_type: ZeroPadding) -> int:
    pairs = node_type.padding
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
