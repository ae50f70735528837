"""The graph of a network of gray pictures, made to take colour: for clients that feed nothing else."""

from __future__ import annotations

from dataclasses import replace

from cnnpipe.graph.affine import input_affine
from cnnpipe.graph.core import Graph, Node
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.input import Input

LUMA = (0.299, 0.587, 0.114)
"""How much red, green and blue count in gray (ITU-R BT.601, section 2.5.1), as in every decoder's own conversion."""
TO_GRAY = Convolution(filters=1, kernel_size=1, use_bias=False)
"""One weight for each colour. They sum to 1: a normalization by one scale and offset may stand before or behind."""
CHANNELS = len(LUMA)


def gray_layer(graph: Graph) -> str:
    """Return the name of the layer that `with_color_input` adds; it has one kernel of `LUMA`, `(1, 1, 3, 1)`."""
    return f"{graph.nodes[_last_of_colour(graph)].name}_to_gray"


def takes_gray(graph: Graph) -> bool:
    """Return whether the only input is a picture of one channel."""
    shapes = [graph.nodes[position].shape for position in graph.inputs.values()]
    return len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][-1] == 1


def with_color_input(graph: Graph) -> Graph:
    """Return the graph with three channels at its input and their weighted sum behind the input's normalization.

    All nodes keep their names, so that the network's weights fit; a graph that does not take gray is returned as it is.
    """
    if not takes_gray(graph):
        return graph
    last = _last_of_colour(graph)

    def moved(position: int) -> int:
        return position + (position > last)

    def after(position: int) -> int:
        return last + 1 if position == last else moved(position)

    nodes = []
    for position, node in enumerate(graph.nodes):
        if position <= last:
            nodes.append(_coloured(node))
        else:
            nodes.append(replace(node, inputs=tuple(map(after, node.inputs))))
        if position == last:
            nodes.append(replace(node, name=gray_layer(graph), type=TO_GRAY, inputs=(last,)))
    outputs, features = ({name: after(at) for name, at in named.items()} for named in (graph.outputs, graph.features))
    return Graph(tuple(nodes), {name: moved(at) for name, at in graph.inputs.items()}, outputs, features)


def _last_of_colour(graph: Graph) -> int:
    """Return the position of the input's normalization, of the input itself where there is none."""
    (source,) = graph.inputs.values()
    if input_affine(graph) is None:
        return source
    return next(number for number, node in enumerate(graph.nodes) if source in node.inputs)


def _coloured(node: Node) -> Node:
    shape = (*node.shape[:-1], CHANNELS)
    return replace(node, shape=shape, type=Input(shape) if isinstance(node.type, Input) else node.type)
