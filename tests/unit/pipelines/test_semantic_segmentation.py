"""Semantic segmentation as a task: targets, predictions, scores, what is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cnnpipe import run_lengths
from cnnpipe.datasets import IGNORED
from cnnpipe.model import Model
from cnnpipe.placement import Placement
from cnnpipe.preprocessing.image import Image
from cnnpipe.registry import Component, room
from cnnpipe.task import Facts, Task

CELLS = ("red", "white")


def task(**options: Any) -> Task:
    return room("pipelines").load("semantic_segmentation").model_validate({"type": "semantic_segmentation", **options})  # type: ignore[return-value]


def facts(names: tuple[str, ...] = CELLS, source: tuple[str, ...] = CELLS) -> Facts:
    return Facts(Image(image_size=(4, 6)), names, source_class_names=source)


def outputs(mask: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    return {"probabilities": np.eye(classes, dtype=np.float32)[mask][None] * 0.8}


MASK = np.array([[0, 0, 1, 1, 2, 2]] * 3 + [[0, 0, 0, 0, 0, IGNORED]], np.uint8)


def test_targets_number_the_classes_of_the_task_and_keep_what_nobody_knows() -> None:
    (target,) = task().encode({"segmentation_masks": MASK}, facts()).values()
    assert target.shape == (4, 6, 1)
    assert np.array_equal(target[..., 0], MASK)
    turned = replace(facts(), class_names=CELLS[::-1])
    (target,) = task(classes=CELLS[::-1]).encode({"segmentation_masks": MASK}, turned).values()
    assert target[0, :, 0].tolist() == [0, 0, 2, 2, 1, 1]
    assert target[3, 5, 0] == IGNORED


def test_without_a_background_every_pixel_shows_a_class() -> None:
    everywhere = np.where(MASK == 0, 1, MASK)
    (target,) = task(background=False).encode({"segmentation_masks": everywhere}, facts()).values()
    assert set(np.unique(target)) == {0, 1, IGNORED}
    with pytest.raises(ValueError, match="11 pixels show none of the classes"):
        task(background=False).encode({"segmentation_masks": MASK}, facts())


def test_a_mask_with_more_classes_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="holds the number 2, and there are 1 classes"):
        task().encode({"segmentation_masks": MASK}, facts(("cell",), ("cell",)))


@pytest.mark.parametrize("background", [True, False])
def test_a_perfect_answer_has_a_perfect_score(background: bool) -> None:
    one, known = task(background=background), facts()
    mask = MASK if background else np.where(MASK == 0, 1, MASK)
    truth = {name: value[None] for name, value in one.encode({"segmentation_masks": mask}, known).items()}
    said = np.where(truth["probabilities"][0, ..., 0] == IGNORED, 0, truth["probabilities"][0, ..., 0])
    scores = one.score(truth, one.decode(outputs(said, 2 + background), known), known)
    assert scores.metrics["mean_iou"].value == scores.metrics["pixel_accuracy"].value == 1
    assert scores.details["errors_by_distance"][0]["errors"] == 0


@pytest.mark.parametrize("background", [True, False])
def test_a_class_map_says_what_the_probabilities_say(background: bool) -> None:
    one, known = task(background=background), facts()
    said = np.where(MASK == IGNORED, 0, MASK) % (2 + background)
    from_map = one.decode({"class_map": said[None, ..., None].astype(np.float32)}, known)
    assert from_map == one.decode(outputs(said, 2 + background), known)


def test_a_file_of_classes_needs_no_softmax_and_keeps_the_weights() -> None:
    one, known = task(), facts()
    model = Model.model_validate({"blocks": (Component("blocks").validate({"type": "conv", "filters": 4}),)})
    (graph,) = one.networks(model, known, lambda path: None).values()
    finished = one.postprocessed(graph, "class_map")
    assert {finished.nodes[at].shape for at in finished.outputs.values()} == {(4, 6, 1)}
    assert "softmax" not in {getattr(node.type, "activation", "") for node in finished.nodes}
    assert [node.name for node in finished.nodes[:-1]] == [node.name for node in graph.nodes[:-1]]
    assert one.postprocessed(finished, "class_map") is finished
    assert "0 background, 1 red, 2 white" in one.postprocessed_signature(known, "class_map").outputs["class_map"]


def test_scores_are_of_all_pixels_together() -> None:
    one, known = task(), facts()
    truth = {name: np.stack([value, value]) for name, value in one.encode({"segmentation_masks": MASK}, known).items()}
    right = np.where(MASK == IGNORED, 0, MASK)
    predictions = one.decode(outputs(right, 3), known) + one.decode(outputs(np.zeros_like(right), 3), known)
    scores = one.score(truth, predictions, known)
    red = scores.details["per_class"]["red"]
    assert red["iou"] == pytest.approx(0.5)
    assert red["interval"] == pytest.approx((0, 1))  # one of two examples is all right, the other all wrong
    assert scores.details["per_class"]["background"]["iou"] == pytest.approx(22 / 34)
    assert scores.metrics["mean_iou"].value == pytest.approx((22 / 34 + 0.5 + 0.5) / 3)
    assert scores.metrics["pixel_accuracy"].value == pytest.approx(34 / 46)
    assert scores.metrics["mean_iou"].n == 2
    assert one.example_scores(truth, predictions, known) is None


def test_a_class_that_nothing_shows_has_no_iou() -> None:
    one, known = task(), facts()
    empty = np.zeros_like(MASK)
    truth = {name: value[None] for name, value in one.encode({"segmentation_masks": empty}, known).items()}
    scores = one.score(truth, one.decode(outputs(empty, 3), known), known)
    assert scores.details["per_class"]["red"] == {"iou": None, "interval": None}
    assert scores.metrics["mean_iou"].value == 1


def test_predictions_are_drawn_and_go_back_into_the_picture() -> None:
    one, known = task(), facts()
    (prediction,) = one.decode(outputs(np.where(MASK == IGNORED, 0, MASK), 3), known)
    assert prediction["label"] == ["red", "white"]
    assert prediction["shares"]["red"] == pytest.approx(6 / 24)
    placement = Placement((8, 12), (0, 0, 12, 8), (4, 6), (0, 0, 6, 4))
    large = one.restored(prediction, placement)
    annotations = one.annotations(large, known)
    assert annotations is not None and annotations.class_mask is not None
    assert annotations.class_mask.shape == (8, 12)
    assert annotations.legend == CELLS
    assert np.array_equal(annotations.class_mask[::2, ::2], run_lengths.decode(prediction["mask"]))


def test_the_worst_examples_show_mistakes_near_borders_and_far_from_them() -> None:
    one, known = task(classes=("cell",)), facts(("cell",), ("cell",))
    true = np.zeros((8, 20, 40), np.uint8)
    true[:, :, :20] = 1
    said = true.copy()
    for number in range(8):
        said[number, :, : number + 1] = 0  # a stripe far from the border, wider each time
    said[7, :, 20] = 1
    truth = {"probabilities": true[..., None]}
    found = one.mistakes(truth, one.decode(outputs(said, 2) | {"probabilities": np.eye(2)[said]}, known), known)
    assert [mistake.row for mistake in found] == [7, 6, 5, 4, 3, 2]
    mask = found[0].annotations.class_mask
    assert mask is not None
    assert set(np.argwhere(mask == 2)[:, 1]) == set(range(8))
    assert set(np.argwhere(mask == 1)[:, 1]) == {20}
    assert found[0].annotations.legend == ("wrong, up to 3 pixels from a border", "wrong, further away")
    assert found[0].caption.startswith("mean IoU 0.")


def test_masks_that_differ_in_a_few_pixels_are_alike() -> None:
    one, known = task(), facts()
    said = np.zeros((40, 60), int)
    few, many = said.copy(), said.copy()
    few[0, :10], many[:4] = 1, 1
    first, second, third = (one.decode(outputs(mask, 3), known)[0] for mask in (said, few, many))
    assert one.alike(first, second)
    assert not one.alike(first, third)


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"classes": 3}, "classes", "3 classes are stated, but the data has 2"),
        ({"class_weights": {"rde": 2.0}}, "class_weights.rde", "none of the 3 classes"),
        ({"class_weights": {"background": 0.5}, "background": False}, "class_weights.background", "none of the 2"),
    ],
)
def test_what_does_not_fit_is_told(options: dict[str, Any], path: str, words: str) -> None:
    (problem,) = task(**options).check(facts())
    assert problem.path == path
    assert words in problem.message


def test_balanced_weights_give_each_class_the_same_total() -> None:
    one = task(class_weights="balanced")
    target = one.encode({"segmentation_masks": MASK}, facts())["probabilities"]
    counts = one.class_counts({"probabilities": np.stack([target, target])}, facts())
    assert counts == (22, 12, 12)  # a pixel that nobody knows is no pixel of a class
    known = replace(facts(), class_counts=counts)
    weights = one.losses(known)["probabilities"].class_weights
    assert [count * weight for count, weight in zip(counts, weights, strict=True)] == pytest.approx([46 / 3] * 3)
    (decision,) = one.decisions(known)
    assert "red 1.278 (26.09% of the pixels)" in decision
    assert not task().decisions(known)


def test_a_class_that_no_pixel_shows_cannot_be_balanced() -> None:
    (problem,) = task(class_weights="balanced").check(replace(facts(), class_counts=(30, 0, 16)))
    assert problem.path == "class_weights"
    assert "no pixel of the training data shows red" in problem.message
    assert not task(class_weights="balanced").check(facts())


def test_one_class_needs_its_background() -> None:
    (problem,) = task(background=False).check(facts(("cell",), ("cell",)))
    assert problem.path == "background"
    (problem,) = task().check(facts(("background", "cell"), ("background", "cell")))
    assert "is a class by itself already" in problem.message
