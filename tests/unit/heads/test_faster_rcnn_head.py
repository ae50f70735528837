"""The head of Faster R-CNN: regions, their classes and boxes, and that it learns."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnpipe.boxes.overlaps import overlap
from cnnpipe.build import build_model
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.keras_script import keras_script
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.heads.faster_rcnn import FasterRCNN

SIZE = (40, 56)
SMALL = {"levels": ("P2", "P3"), "anchor_scale": 3.0, "proposals": 40, "regions": 9, "region_size": 3, "units": 8}


def built(size=SIZE, padding="same", learning=True, **options):
    graph = GraphBuilder()
    tensor, maps = graph.input("image", (*size, 3)), {}
    for number in range(1, 4):
        tensor = maps[f"P{number}"] = graph.add(Convolution(8, 3, 2, padding), tensor)
    head = FasterRCNN(**{**SMALL, **options})
    return head, graph.build(head.expand(graph, maps, 3, size, learning))


@pytest.mark.parametrize("options", [{}, {"separable": True, "filters": 6}, {"levels": ("P3",), "samples": 1}])
def test_there_is_a_box_and_a_probability_of_each_class_for_each_region(options):
    _, graph = built(**options)
    found = build_model(graph)(np.random.default_rng(0).normal(size=(2, *SIZE, 3)).astype(np.float32))
    boxes, scores = np.asarray(found["boxes"]), np.asarray(found["scores"])
    assert boxes.shape == (2, 9, 4)
    assert (boxes[..., :2] <= boxes[..., 2:]).all()
    assert boxes.min() >= 0
    assert (boxes <= [56, 40, 56, 40]).all()
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)
    assert scores.shape == (2, 9, 4)


def test_what_the_loss_reads_exists_only_while_learning():
    head, graph = built()
    _, smaller = built(learning=False)
    assert list(graph.outputs) == ["boxes", "scores", "two_stages"]
    assert list(smaller.outputs) == ["boxes", "scores"]
    loss = head.losses(3, SIZE)["two_stages"]
    assert graph.nodes[graph.outputs["two_stages"]].shape == (sum(a * b for a, b in loss.shapes()),)
    assert [node.name for node in graph.nodes[: len(smaller.nodes)]] == [node.name for node in smaller.nodes]


def test_multiply_adds_of_every_region_count():
    few, many = (built(regions=regions, learning=False)[1] for regions in (5, 10))
    once, twice = ([graph.macs(node) for node in graph.nodes if node.type.kind == "dense"] for graph in (few, many))
    assert twice == [2 * macs for macs in once]
    assert once[0] == 5 * 3 * 3 * 8 * 8


def test_candidates_are_regions_under_every_class_that_is_likely_enough():
    head, _ = built(regions=2)
    outputs = {
        "boxes": np.float32([[1, 2, 3, 4], [5, 6, 7, 8]]),
        "scores": np.float32([[0.1, 0.3, 0.5, 0.1], [0.05, 0.03, 0.02, 0.9]]),
    }
    found = head.candidates(outputs, SIZE, 0.1)
    assert found.labels.tolist() == [0, 1, 2]
    assert found.scores.tolist() == pytest.approx([0.1, 0.3, 0.5])
    assert found.boxes.tolist() == [[1, 2, 3, 4]] * 3


def test_it_learns_where_bright_squares_are():
    """A hundred steps of the whole head on squares of two brightnesses."""
    random = np.random.default_rng(0)
    graph = GraphBuilder()
    image = graph.input("image", (32, 32, 1))
    tensor, maps = image, {}
    for number in range(1, 4):
        tensor = maps[f"P{number}"] = graph.add(Activation("relu"), graph.add(Convolution(12, 3, 2, "same"), tensor))
    head = FasterRCNN(**{**SMALL, "levels": ("P2", "P3"), "units": 24, "aspect_ratios": (1.0,)})
    keras.utils.set_random_seed(0)
    model = build_model(graph.build(head.expand(graph, maps, 2, (32, 32), learning=True)))
    model.compile(keras.optimizers.Adam(5e-3), loss=head.losses(2, (32, 32)))
    boxes, labels = np.zeros((64, 2, 4), np.float32), np.full((64, 2), -1, np.int32)
    images = random.normal(0, 0.05, (64, 32, 32, 1)).astype(np.float32)
    for row in range(64):
        x, y, side, kind = random.integers(0, 18), random.integers(0, 18), random.integers(9, 14), row % 2
        images[row, y : y + side, x : x + side] += 2 if kind else -2
        boxes[row, 0], labels[row, 0] = (x, y, x + side, y + side), kind
    targets = head.training_targets({"boxes": boxes, "labels": labels, "crowd": np.zeros_like(labels)})
    targets = {"two_stages": np.asarray(targets["two_stages"])}
    model.fit(images, targets, batch_size=16, epochs=25, verbose=0)
    found, right = model.predict(images, verbose=0), []
    for row in range(64):
        region, label = np.unravel_index(found["scores"][row, :, :2].argmax(), (9, 2))
        right.append(label == labels[row, 0] and overlap(found["boxes"][row, region], boxes[row, 0]) > 0.5)
    assert np.mean(right) > 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": ("P3", "P5")}, "no feature map P5"),
        ({"padding": "valid"}, "an image of 40x56 has 10x14 cells"),
        ({"proposals": 1000}, "picks 1000 of 525 anchors"),
        ({"regions": 41}, "picks 41 of 40 boxes"),
    ],
)
def test_what_does_not_fit_is_a_problem(options, message):
    with pytest.raises(ProblemError, match=message):
        built(**options)


def test_the_network_as_a_script_needs_only_keras():
    _, graph = built(learning=False)
    script = keras_script({"detector": graph}, "detector")
    assert "cnnpipe" not in script
    made: dict[str, keras.Model] = {}
    exec(compile(script, "script", "exec"), made)
    model, image = build_model(graph), np.random.default_rng(0).normal(size=(1, *SIZE, 3)).astype(np.float32)
    made["model"].set_weights(model.get_weights())
    np.testing.assert_array_equal(made["model"](image)["boxes"], model(image)["boxes"])


@pytest.mark.parametrize("classes", [1, 3])
def test_suppression_inside_of_a_file_reads_boxes_and_scores_without_background(classes):
    head = FasterRCNN(**SMALL)
    graph = GraphBuilder()
    outputs = {"boxes": graph.input("boxes", (9, 4)), "scores": graph.input("scores", (9, classes + 1))}
    boxes, scores = head.placed(graph, outputs, SIZE)
    model = build_model(graph.build({"placed": boxes, "classes": scores}))
    given = np.random.default_rng(0).uniform(size=(1, 9, classes + 1)).astype(np.float32)
    found = model({"boxes": np.zeros((1, 9, 4), np.float32), "scores": given})
    np.testing.assert_array_equal(found["classes"], given[..., :-1])
    assert scores.shape == (9, classes)
