"""Nodes of two-stage detectors: the memory that they need inside, and what they refuse."""

from __future__ import annotations

import pytest

from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.core import ShapeError
from cnnpipe.graph.memory import live_bytes
from cnnpipe.graph.nodes.regions import AlignedRegions, ConvolvedRegions, DistinctBoxes, ProposedBoxes, RefinedBoxes

SCALES = (0.1, 0.1, 0.2, 0.2)


def test_memory_inside_of_a_node_counts_while_it_runs():
    graph = GraphBuilder()
    boxes, image = graph.input("boxes", (50, 5)), graph.input("map", (8, 8, 4))
    distinct = graph.add(DistinctBoxes(10, 0.5), boxes)
    built = graph.build({"regions": graph.add(AlignedRegions((8,), 3), distinct, image)})
    given, kept, regions = 50 * 5 + 8 * 8 * 4, 10 * 5, 10 * 3 * 3 * 4
    while_suppressing = given + kept + 4 * 50 * 50
    while_aligning = 8 * 8 * 4 + kept + regions + 8 * 8 * 4 + 3 * 10 * 6 * 6 * 4
    assert live_bytes(built)[2:] == [4 * while_suppressing, 4 * while_aligning]


@pytest.mark.parametrize(
    ("node", "inputs", "message"),
    [
        (ProposedBoxes(((2, 2),), (8,), 3.0, (1.0,), SCALES, (16, 16), 5), ((4, 1), (4, 4)), "picks 5 of 4 anchors"),
        (ProposedBoxes(((2, 2),), (8,), 3.0, (1.0,), SCALES, (16, 16), 2), ((3, 1), (4, 4)), "reads 4x1 and 4x4"),
        (DistinctBoxes(5, 0.5), ((4, 5),), "picks 5 of 4 boxes"),
        (DistinctBoxes(2, 0.5, 3), ((4, 5),), "at least 7 values each, received 4x5"),
        (AlignedRegions((8,), 3), ((4, 5), (2, 2, 3), (1, 1, 3)), "reads 1 maps in 2D, received 2x2x3 and 1x1x3"),
        (AlignedRegions((8, 16), 3), ((4, 5), (2, 2, 3), (1, 1, 2)), "equally many channels"),
        (AlignedRegions((8,), 3), ((4, 3), (2, 2, 3)), "at least 4 values each, received 4x3"),
        (RefinedBoxes(SCALES, (16, 16)), ((4, 5), (3, 4)), "reads 4x4 numbers for 4 boxes, received 3x4"),
        (ConvolvedRegions(3), ((4, 5, 3),), "convolves regions in 2D, received 4x5x3"),
    ],
)
def test_what_does_not_fit_is_said(node, inputs, message):
    with pytest.raises(ShapeError, match=message):
        node.output_shape(*inputs)
