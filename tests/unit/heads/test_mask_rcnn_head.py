"""The head of Mask R-CNN: masks in boxes, put into the image, and that it learns."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cnnpipe.build import build_model
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.heads.mask_rcnn import MaskRCNN, pasted

SIZE = (32, 40)
SMALL = {
    "levels": ("P2", "P3"), "anchor_scale": 3.0, "aspect_ratios": (1.0,), "proposals": 40, "regions": 9,
    "region_size": 3, "units": 24, "masks": 4, "mask_region_size": 5, "mask_repeat": 1,
}  # fmt: skip


def built(size=SIZE, learning=True, channels=1, classes=2, **options):
    graph = GraphBuilder()
    tensor, maps = graph.input("image", (*size, channels)), {}
    for number in range(1, 4):
        convolved = graph.add(Convolution(12, 3, 2, "same"), tensor)
        tensor = maps[f"P{number}"] = graph.add(Activation("relu"), convolved)
    head = MaskRCNN(**{**SMALL, **options})
    return head, graph.build(head.expand(graph, maps, classes, size, learning))


def test_there_is_a_mask_for_each_of_the_best_boxes():
    head, graph = built()
    found = build_model(graph)(np.random.default_rng(0).normal(size=(2, *SIZE, 1)).astype(np.float32))
    objects, masks = np.asarray(found["objects"]), np.asarray(found["masks"])
    assert objects.shape == (2, 4, 7)
    np.testing.assert_allclose(objects[..., 4:].sum(-1), 1, atol=1e-5)
    assert masks.shape == (2, 4, 10, 10)
    assert masks.min() >= 0
    assert masks.max() <= 1
    loss = head.losses(2, SIZE)["two_stages_and_masks"]
    assert found["two_stages_and_masks"].shape == (2, sum(a * b for a, b in loss.shapes()))
    assert list(built(learning=False)[1].outputs) == ["objects", "masks"]


def test_every_box_costs_its_multiply_adds():
    counts = []
    for masks in (2, 4):
        _, graph = built(learning=False, masks=masks)
        counts.append([graph.macs(node) for node in graph.nodes if node.type.kind == "convolved_regions"])
    assert counts[1] == [2 * macs for macs in counts[0]]
    assert counts[0] == [2 * 25 * 9 * 12 * 12, 2 * 25 * 4 * 12 * 12, 2 * 100 * 12]


def test_masks_are_put_where_their_boxes_are():
    random = np.random.default_rng(1)
    masks = random.uniform(size=(5, 6, 6)).astype(np.float32)
    low = random.uniform(-4, 20, (5, 2))
    boxes = np.concatenate([low, low + random.uniform(5, 25, (5, 2))], 1).astype(np.float32)
    found = pasted(masks, boxes, SIZE)
    assert found.any()
    for row, (left, top, right, bottom) in enumerate(boxes):
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                at = ((y + 0.5 - top) / (bottom - top) * 6 - 0.5, (x + 0.5 - left) / (right - left) * 6 - 0.5)
                inside = left <= x + 0.5 < right and top <= y + 0.5 < bottom
                value = map_coordinates(masks[row], [[at[0]], [at[1]]], order=1, mode="nearest")[0] if inside else 0
                assert found[row, y, x] == (value >= 0.5) or abs(value - 0.5) < 1e-4


def test_candidates_bring_their_masks_in_the_order_that_is_asked_for():
    head, _ = built()
    objects = np.float32([[2, 3, 12, 13, 0.6, 0.3, 0.1], [20, 5, 30, 25, 0.02, 0.9, 0.08]])
    masks = np.stack([np.ones((10, 10)), np.pad(np.ones((10, 5)), ((0, 0), (0, 5)))]).astype(np.float32)
    found = head.candidates({"objects": objects, "masks": masks}, SIZE, 0.1)
    assert found.labels.tolist() == [0, 1, 1]
    assert found.scores.tolist() == pytest.approx([0.6, 0.3, 0.9])
    shown = found.masks(np.array([2, 0]))
    assert shown.shape == (2, *SIZE)
    assert np.argwhere(shown[1]).min(0).tolist() == [3, 2]
    assert np.argwhere(shown[1]).max(0).tolist() == [12, 11]
    assert np.argwhere(shown[0]).max(0).tolist() == [24, 24]
    assert found.masks(np.array([], int)).shape == (0, *SIZE)


def test_it_learns_which_half_of_a_square_is_seen():
    """A hundred steps of the whole head on squares of which the brighter part is no object."""
    random = np.random.default_rng(0)
    images = random.normal(0, 0.05, (48, 32, 32, 1)).astype(np.float32)
    boxes, labels = np.zeros((48, 2, 4), np.float32), np.full((48, 2), -1, np.int32)
    instances = np.zeros((48, 32, 32, 1), np.int32)
    for row in range(48):
        x, y, side = random.integers(0, 16), random.integers(0, 16), 14
        images[row, y : y + side, x : x + side] += 2
        images[row, y + 7 : y + side, x + 7 : x + side] -= 5
        instances[row, y : y + side, x : x + side] = 1
        instances[row, y + 7 : y + side, x + 7 : x + side] = 0
        boxes[row, 0], labels[row, 0] = (x, y, x + side, y + side), 0
    keras.utils.set_random_seed(0)
    head, graph = built((32, 32), classes=1)
    model = build_model(graph)
    model.compile(keras.optimizers.Adam(5e-3), loss=head.losses(1, (32, 32)))
    given = {"boxes": boxes, "labels": labels, "crowd": np.zeros_like(labels), "instance_masks": instances}
    targets = {name: np.asarray(value) for name, value in head.training_targets(given).items()}
    model.fit(images, targets, batch_size=16, epochs=40, verbose=0)
    outputs, overlaps = model.predict(images, verbose=0), []
    for row in range(48):
        found = head.candidates({name: value[row] for name, value in outputs.items()}, (32, 32), 0.05)
        mask = found.masks(np.array([found.scores.argmax()]))[0] if len(found.scores) else np.zeros((32, 32), bool)
        true = instances[row, ..., 0] > 0
        overlaps.append((mask & true).sum() / (mask | true).sum())
    assert np.mean(overlaps) > 0.6  # whole squares have at most 0.75, squares a little off less


def test_more_masks_than_regions_are_a_problem():
    with pytest.raises(ProblemError, match="picks 10 of 9 boxes"):
        built(masks=10)
