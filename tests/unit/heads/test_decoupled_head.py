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
    np.testing.assert_allclose(model(np.zeros((1, 40, 56, 3), np.float32))["boxes"], 0, atol=1e-6)
    found = np.asarray(model(np.random.default_rng(0).normal(0, 1e4, (1, 40, 56, 3)).astype(np.float32))["boxes"])
    assert (found.min(), found.max()) == (-3, 3)


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
