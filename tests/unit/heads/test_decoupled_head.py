"""The detection head: a box and scores for each cell of each level, in two tensors of their own."""

import keras
import numpy as np
import pytest

from cnnpipe.boxes.anchors import anchors
from cnnpipe.build import build_model
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.heads.decoupled import Decoupled


def built(size=(40, 56), padding="same", levels=("P2", "P3"), **options):
    graph = GraphBuilder()
    tensor, maps = graph.input("image", (*size, 3)), {}
    for number in range(1, 4):
        tensor = maps[f"P{number}"] = graph.add(Convolution(8, 3, 2, padding), tensor)
    head = Decoupled(levels=levels, **options)
    return head, graph.build(head.expand(graph, maps, 3, size, learning=True))


@pytest.mark.parametrize("options", [{}, {"separable": True, "filters": 6}, {"repeat": 0, "levels": ("P3",)}])
def test_there_is_a_box_and_a_score_of_each_class_for_each_anchor(options):
    head, graph = built(**options)
    found = build_model(graph)(np.zeros((2, 40, 56, 3), np.float32))
    count = len(anchors(head.cells((40, 56)), head.anchor_scale))
    assert tuple(found["boxes"].shape) == (2, count, 4)
    assert tuple(found["scores"].shape) == (2, count, 3)
    assert tuple(found["boxes_and_logits"].shape) == (2, count, 7)


def test_scores_are_probabilities_that_begin_at_the_prior():
    _, graph = built(prior_probability=0.02)
    found = build_model(graph)(np.zeros((1, 40, 56, 3), np.float32))
    np.testing.assert_allclose(found["scores"], 0.02, atol=1e-6)
    np.testing.assert_allclose(found["scores"], keras.ops.sigmoid(found["boxes_and_logits"][..., 4:]), atol=1e-6)


def test_numbers_of_boxes_begin_at_the_anchor_and_have_a_limit():
    _, graph = built()
    model = build_model(graph)
    begun = model(np.zeros((1, 40, 56, 3), np.float32))
    np.testing.assert_allclose(begun["boxes"], 3, atol=1e-6)
    np.testing.assert_allclose(begun["boxes_and_logits"][..., :4], 0, atol=1e-6)
    found = np.asarray(model(np.random.default_rng(0).normal(0, 1e4, (1, 40, 56, 3)).astype(np.float32))["boxes"])
    assert (found.min(), found.max()) == (0, 6)


def test_candidates_are_the_boxes_of_their_anchors_and_in_the_places_that_are_told():
    head, _ = built()
    count = len(head.anchors((40, 56)))
    boxes, scores = np.full((count, 4), 3, np.float32), np.zeros((count, 3), np.float32)
    boxes[7], scores[7] = [3.5, 3, 3 + np.log(2), 3], [0, 0.25, 0.75]
    found = head.candidates({"boxes": boxes, "scores": scores}, (40, 56), 0.1)
    x, y, width, height = head.anchors((40, 56))[7]
    (box,) = found.boxes
    np.testing.assert_allclose(box, [x - width / 2, y - height / 2, x + width / 2, y + 1.5 * height], atol=1e-4)
    assert (found.labels.tolist(), found.scores.tolist()) == ([2], [0.75])


def test_both_parts_of_separable_convolutions_are_normalized():
    """A depthwise convolution that is not leaves int8 coarse steps for most of its channels."""
    _, graph = built(separable=True)
    readers = {position: node.type.kind for node in graph.nodes for position in node.inputs}
    depthwise = [position for position, node in enumerate(graph.nodes) if node.type.kind == "depthwise_convolution"]
    assert len(depthwise) == 8
    assert {readers[position] for position in depthwise} == {"batch_normalization"}
    assert {node.type.activation for node in graph.nodes if node.type.kind == "activation"} == {"relu6", "sigmoid"}


def test_rows_are_in_the_order_of_the_anchors():
    """A network that only says where a pixel is bright says so in the row of the anchor that is there."""
    graph = GraphBuilder()
    image = graph.input("image", (16, 16, 1))
    maps = {"P1": graph.add(Convolution(1, 1, 2, use_bias=False), image)}
    maps["P2"] = graph.add(Convolution(1, 1, 2, use_bias=False), maps["P1"])
    head = Decoupled(levels=("P1", "P2"), repeat=0, batch_normalization=False)
    model = build_model(graph.build(head.expand(graph, maps, 1, (16, 16), learning=False)))
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    places = anchors(head.cells((16, 16)), head.anchor_scale)
    picture = np.zeros((1, 16, 16, 1), np.float32)
    picture[0, 4, 12] = 1
    bright = places[np.flatnonzero(np.asarray(model(picture)["scores"])[0, :, 0] > 0.8)]
    assert bright.tolist() == [[13, 5, 8, 8], [14, 6, 16, 16]]


def test_a_level_that_the_model_does_not_have_is_a_problem():
    with pytest.raises(ProblemError, match="no feature map P5"):
        built(levels=("P3", "P5"))


def test_maps_whose_cells_do_not_lie_in_a_grid_are_a_problem():
    with pytest.raises(ProblemError, match="an image of 40x56 has 10x14 cells"):
        built(padding="valid")
