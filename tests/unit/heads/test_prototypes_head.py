"""The prototype head: four tensors of their own, and masks that are sums of prototypes inside of boxes."""

import numpy as np
import pytest

from cnnpipe.boxes.anchors import anchors, encode
from cnnpipe.build import build_model
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.heads.prototypes import Prototypes

SIZE = (40, 56)


def built(size=SIZE, padding="same", **options):
    graph = GraphBuilder()
    tensor, maps = graph.input("image", (*size, 3)), {}
    for number in range(1, 4):
        tensor = maps[f"P{number}"] = graph.add(Convolution(8, 3, 2, padding), tensor)
    head = Prototypes(levels=("P2", "P3"), repeat=1, prototypes=5, **options)
    return head, graph.build(head.expand(graph, maps, 3, size, learning=True))


@pytest.mark.parametrize(
    ("options", "stride"),
    [({}, 4), ({"prototype_level": "P2"}, 2), ({"prototype_level": "P1", "enlarged": False, "prototype_repeat": 0}, 2)],
)
def test_each_output_is_a_tensor_of_its_own(options, stride):
    head, graph = built(**options)
    found = build_model(graph)(np.zeros((2, *SIZE, 3), np.float32))
    count, size = len(head.anchors(SIZE)), (SIZE[0] // stride, SIZE[1] // stride)
    shapes = {name: tuple(values.shape[1:]) for name, values in found.items()}
    assert shapes == {
        "boxes": (count, 4), "scores": (count, 3), "coefficients": (count, 5), "prototypes": (*size, 5),
        "all_values": (count * (4 + 3 + 5) + size[0] * size[1] * 5,),
    }  # fmt: skip
    assert head.decoding(SIZE)["prototype_stride"] == stride


def test_what_is_learned_is_what_is_exported():
    head, graph = built()
    found = build_model(graph)(np.random.default_rng(0).normal(0, 50, (1, *SIZE, 3)).astype(np.float32))
    count = len(head.anchors(SIZE))
    rows = np.asarray(found["all_values"])[0, : count * 12].reshape(count, 12)
    np.testing.assert_allclose(rows[:, :4] + head.decoding(SIZE)["middle"], found["boxes"][0], atol=1e-5)
    np.testing.assert_allclose(1 / (1 + np.exp(-rows[:, 4:7])), found["scores"][0], atol=1e-6)
    np.testing.assert_array_equal(rows[:, 7:], found["coefficients"][0])
    np.testing.assert_array_equal(found["all_values"][0, count * 12 :], np.ravel(found["prototypes"][0]))
    assert np.abs(found["coefficients"]).max() <= 1


def said(head, boxes, coefficients, prototypes):
    """Outputs of one image that say these boxes of class 1, in the first cells."""
    places = head.anchors(SIZE)
    outputs = {
        "boxes": np.zeros((len(places), 4), np.float32), "scores": np.zeros((len(places), 3), np.float32),
        "coefficients": np.zeros((len(places), 5), np.float32), "prototypes": np.asarray(prototypes, np.float32),
    }  # fmt: skip
    rows = range(len(boxes))
    outputs["boxes"][rows] = encode(np.float32(boxes), places[rows]) + head.decoding(SIZE)["middle"]
    outputs["coefficients"][rows], outputs["scores"][rows, 1] = coefficients, 0.9
    return outputs


def test_a_mask_is_the_sum_of_prototypes_inside_of_the_box():
    head = Prototypes(levels=("P2", "P3"), prototypes=5)
    prototypes = np.zeros((10, 14, 5))
    prototypes[..., 0] = 1
    prototypes[:, 7:, 1] = 1  # the right half
    coefficients = [[0.5, -1, 0, 0, 0], [-0.5, 1, 0, 0, 0], [0.5, 0, 0, 0, 0]]
    boxes = [[8, 8, 48, 32], [8, 8, 48, 32], [0, 0, 8, 40]]
    found = head.candidates(said(head, boxes, coefficients, prototypes), SIZE, 0.5)
    left, right, all_of_it = found.masks(np.arange(3))
    columns, rows = np.arange(SIZE[1]), np.arange(SIZE[0])[:, None]
    inside = (columns >= 8) & (columns < 48) & (rows >= 8) & (rows < 32)
    np.testing.assert_array_equal(left, inside & (columns < 28))
    np.testing.assert_array_equal(right, inside & (columns >= 28))
    np.testing.assert_array_equal(all_of_it, (columns < 8) & (rows >= 0))
    np.testing.assert_array_equal(found.masks(np.array([2]))[0], all_of_it)
    assert found.masks(np.zeros(0, int)).shape == (0, *SIZE)


def test_many_masks_are_what_each_alone_is():
    head, random = Prototypes(levels=("P2", "P3"), prototypes=5), np.random.default_rng(0)
    corners = random.uniform(0, 20, (150, 2))
    boxes = np.concatenate([corners, corners + random.uniform(4, 20, (150, 2))], 1)
    outputs = said(head, boxes, random.uniform(-1, 1, (150, 5)), random.random((10, 14, 5)))
    found = head.candidates(outputs, SIZE, 0.5)
    together = found.masks(np.arange(150))
    assert together.any((1, 2)).sum() > 100
    for row in (0, 70, 149):
        np.testing.assert_array_equal(together[row], found.masks(np.array([row]))[0])


def test_masks_are_where_they_are_when_the_size_is_no_multiple_of_the_stride():
    head = Prototypes(levels=("P2", "P3"), prototypes=5)
    prototypes = np.zeros((11, 15, 5))
    prototypes[..., 0], prototypes[:, 7:, 1] = 1, 1
    outputs = {
        name: values if name == "prototypes" else values[:1]
        for name, values in said(head, [[0, 0, 56, 40]], [[0.5, -1, 0, 0, 0]], prototypes).items()
    }
    places = anchors(head.cells((41, 57)), 4.0)
    more = {name: np.zeros((len(places), values.shape[-1]), np.float32) for name, values in outputs.items()}
    more["prototypes"] = outputs["prototypes"]
    more["boxes"][0], more["scores"][0] = encode(np.float32([0, 0, 57, 41]), places[0]) + 3, 0.9
    more["coefficients"][0] = outputs["coefficients"][0]
    (mask,) = head.candidates(more, (41, 57), 0.5).masks(np.arange(1))
    assert mask.shape == (41, 57)
    assert mask[:, :28].all()
    assert not mask[:, 28:].any()


def test_a_map_of_another_size_is_a_problem():
    with pytest.raises(ProblemError, match="Use padding same"):
        built(padding="valid", prototype_level="P1")
