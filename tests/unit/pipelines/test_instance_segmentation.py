"""Instance segmentation as a task: targets, predictions, scores."""

import json

import numpy as np
import pytest

from cnnpipe import run_lengths
from cnnpipe.errors import ProblemError
from cnnpipe.placement import Placement
from cnnpipe.preprocessing.image import Image
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.load import load_recipe, shipped_recipes
from cnnpipe.registry import room
from cnnpipe.task import Facts

TASK = room("pipelines").load("instance_segmentation")
CELLS = ("cyst", "fat", "red")
SIZE = (64, 96)
FACTS = Facts(Image(image_size=SIZE), CELLS)


def task(**options):
    options.setdefault("head", {"type": "prototypes", "levels": ("P3", "P4"), "prototypes": 4})
    return TASK.model_validate({"type": "instance_segmentation", **options})


def example(*rows, crowd=None):
    """Rows of (left, top, right, bottom, class); each fills its box, later ones lie above."""
    masks = np.zeros(SIZE, np.int32)
    for number, (left, top, right, bottom, _) in enumerate(rows, 1):
        masks[top:bottom, left:right] = number
    table = np.array(rows, float).reshape(-1, 5)
    boxes = {"boxes": table[:, :4].astype(np.float32), "labels": table[:, 4].astype(np.int32)}
    return {"bounding_boxes": boxes | ({} if crowd is None else {"crowd": crowd}), "instance_masks": masks}


def prediction(*rows):
    """Rows of (left, top, right, bottom, class, confidence)."""
    found = []
    for *box, label, confidence in rows:
        mask = np.zeros(SIZE, int)
        mask[box[1] : box[3], box[0] : box[2]] = 1
        found.append({"label": label, "confidence": confidence, "box": box, "mask": run_lengths.encode(mask)})
    return {"objects": found}


def batch(made, *examples):
    encoded = [made.encode(one, FACTS) for one in examples]
    return {key: np.stack([one[key] for one in encoded]) for key in encoded[0]}


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_objects_become_rows_with_padding_and_a_mask():
    found = task(max_boxes=3).encode(example((1, 2, 30, 40, 2), (50, 5, 59, 9, 0), crowd=[True, False]), FACTS)
    assert found["boxes"].tolist() == [[1, 2, 30, 40], [50, 5, 59, 9], [0, 0, 0, 0]]
    assert found["labels"].tolist() == [2, 0, -1]
    assert found["crowd"].tolist() == [1, 0, 0]
    assert (found["instance_masks"].shape, found["instance_masks"].dtype) == ((*SIZE, 1), np.int32)
    assert np.bincount(found["instance_masks"].ravel())[1:].tolist() == [29 * 38, 36]


def test_an_object_that_no_pixel_shows_is_none():
    assert task(max_boxes=2).encode(example((5, 5, 9, 9, 2), (1, 1, 30, 30, 0)), FACTS)["labels"].tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [([(1, 1, 5, 5, 0)] * 3, r"3 boxes, and task\.max_boxes is 2"), ([(1, 1, 5, 5, 3)], "3 classes")],
)
def test_what_does_not_fit_is_counted(rows, message):
    with pytest.raises(ValueError, match=message):
        task(max_boxes=2).encode(example(*rows), FACTS)


def test_a_mask_of_more_instances_than_boxes_is_refused():
    given = example((1, 1, 5, 5, 0))
    given["instance_masks"][0, 0] = 2
    with pytest.raises(ValueError, match="the instance 2, and it has 1 boxes"):
        task().encode(given, FACTS)


def test_the_loss_reads_boxes_that_fit_what_augmentation_left_of_the_masks():
    made = task(max_boxes=3)
    targets = batch(made, example((1, 2, 30, 40, 2), (50, 5, 59, 9, 0)))
    targets["instance_masks"][:, :20] = 0  # of the second one nothing is left
    (found,) = (np.asarray(values)[0] for values in made.training_targets(targets).values())
    assert found[:6].tolist() == [1, 20, 30, 40, 2, 0]
    np.testing.assert_array_equal(found[6:], targets["instance_masks"].ravel())


# ── predictions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def outputs(made, *objects):
    """Outputs that say boxes with a coefficient for the first prototype, which is 1 in the upper half."""
    from cnnpipe.boxes.anchors import encode

    places = made.head.anchors(SIZE)
    size = {"boxes": 4, "scores": len(CELLS), "coefficients": 4}
    found = {name: np.zeros((1, len(places), values), np.float32) for name, values in size.items()}
    found["prototypes"] = np.zeros((1, 16, 24, 4), np.float32)
    found["prototypes"][0, :8, :, 0] = 1
    for row, (box, label, score) in enumerate(objects):
        found["boxes"][0, row] = encode(np.float32(box), places[row]) + 3
        found["scores"][0, row, label], found["coefficients"][0, row, 0] = score, 0.5
    return found


def test_decoding_gives_the_surest_first_with_masks_as_json():
    made = task()
    (found,) = made.decode(outputs(made, ([8, 16, 40, 60], 2, 0.4), ([50, 12, 90, 60], 0, 0.9)), FACTS)
    assert [thing["label"] for thing in found["objects"]] == ["cyst", "red"]
    np.testing.assert_allclose(found["objects"][0]["box"], [50, 12, 90, 60], atol=1e-3)
    mask = run_lengths.decode(found["objects"][0]["mask"])
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert (columns[0], columns[-1], rows[0]) == (50, 89, 12)
    assert 31 <= rows[-1] <= 33  # where the upper half ends
    assert json.loads(json.dumps(found)) == found


def test_objects_that_repeat_a_surer_one_or_show_no_pixel_are_not_given():
    made = task()
    objects = ([8, 8, 40, 40], 2, 0.4), ([9, 8, 41, 40], 2, 0.6), ([50, 45, 90, 60], 0, 0.9)
    (found,) = made.decode(outputs(made, *objects), FACTS)
    assert [thing["confidence"] for thing in found["objects"]] == pytest.approx([0.6])


def test_predictions_without_objects_are_fine():
    made = task()
    (found,) = made.decode(outputs(made), FACTS)
    assert found == {"objects": []}
    assert made.restored(found, Placement((10, 10), (0, 0, 10, 10), SIZE, (0, 0, 96, 64))) == found
    assert made.annotations(found, FACTS).instance_mask is None
    assert made.alike(found, found)


def test_boxes_and_masks_go_back_into_the_picture():
    restored = task().restored(
        prediction((48, 16, 96, 32, "red", 0.9)), Placement((128, 96), (0, 0, 96, 128), SIZE, (0, 0, 96, 64))
    )
    (thing,) = restored["objects"]
    np.testing.assert_allclose(thing["box"], [48, 32, 96, 64], atol=1e-3)
    mask = run_lengths.decode(thing["mask"])
    assert mask.shape == (128, 96)
    assert mask[32:64, 48:].all()
    assert mask.sum() == 32 * 48


def test_what_is_sure_is_drawn_and_the_surer_one_lies_above():
    said = prediction((0, 0, 10, 10, "red", 0.9), (5, 0, 20, 10, "fat", 0.8), (30, 0, 40, 10, "fat", 0.1))
    found = task().annotations(said, FACTS)
    assert [box.caption for box in found.boxes] == ["fat 0.80", "red 0.90"]
    assert np.bincount(found.instance_mask.ravel())[1:].tolist() == [100, 100]
    assert not task().annotations(said, Facts(FACTS.preprocessing, ("fat", "red"))).boxes == ()
    alone = prediction((0, 0, 10, 10, "red", 0.9))
    assert task().annotations(alone, Facts(FACTS.preprocessing, ("red",))).boxes == ()


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ([(8, 8, 40, 42, "red", 0.8)], True),
        ([(8, 8, 40, 42, "fat", 0.8)], False),
        ([(8, 8, 24, 20, "red", 0.8)], False),
        ([], False),
        ([(8, 8, 40, 40, "red", 0.8), (50, 10, 90, 60, "fat", 0.9)], False),
    ],
)
def test_predictions_are_alike_when_what_is_drawn_is_found_by_both(other, same):
    first = prediction((8, 8, 40, 40, "red", 0.9), (60, 10, 90, 60, "cyst", 0.1))
    assert task().alike(first, prediction(*other)) == same
    assert task().alike(prediction(*other), first) == same


# ── scores ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scores_of_right_and_missed_objects():
    made = task(max_boxes=3)
    truth = batch(made, *[example((8, 8, 40, 40, 2), (50, 10, 90, 60, 0))] * 2)
    right = prediction((8, 8, 40, 40, "red", 0.9), (50, 10, 90, 60, "cyst", 0.8))
    half = prediction((8, 8, 40, 40, "red", 0.9))
    scores = made.score(truth, [right, half], FACTS)
    assert scores.metrics["mask_map_50"].value == pytest.approx((1 + 51 / 101) / 2)
    assert scores.metrics["box_map_50"].value == pytest.approx((1 + 51 / 101) / 2)
    assert scores.metrics["data_science_bowl"].value == pytest.approx((1 + 0.5) / 2)
    assert made.headline().name in scores.metrics
    assert all(score.interval[0] <= score.value <= score.interval[1] for score in scores.metrics.values())
    assert scores.details["per_class"]["fat"] == {"n": 0, "ap_50": None, "ap_50_95": None}
    assert scores.details["max_detections"] == 100
    assert json.loads(json.dumps(scores.details)) == scores.details
    assert list(made.figures(scores, FACTS)) == ["precision_recall.png"]


def test_masks_are_judged_by_their_pixels_and_boxes_by_their_corners():
    made = task(max_boxes=1)
    truth = batch(made, *[example((8, 8, 40, 40, 2))] * 2)
    said = prediction((8, 8, 40, 20, "red", 0.9))
    said["objects"][0]["box"] = [8, 8, 40, 40]
    metrics = made.score(truth, [said, said], FACTS).metrics
    assert (metrics["box_map_50"].value, metrics["mask_map_50"].value) == (pytest.approx(1), 0)


def test_unsure_objects_do_not_count_in_the_bowl_but_in_average_precision():
    made = task(max_boxes=2)
    truth = batch(made, *[example((8, 8, 40, 40, 2), (50, 10, 90, 60, 2))] * 2)
    said = prediction((8, 8, 40, 40, "red", 0.9), (50, 10, 90, 60, "red", 0.2))
    metrics = made.score(truth, [said, said], FACTS).metrics
    assert metrics["mask_map_50"].value == pytest.approx(1)
    assert metrics["data_science_bowl"].value == pytest.approx(0.5)


def test_images_of_more_objects_than_coco_counts_can_be_judged_whole():
    corners = [(column, row, column + 4, row + 4) for row in range(0, 60, 6) for column in range(0, 72, 6)]
    rows = [(*box, 2) for box in corners]
    said = prediction(*[(*box, "red", 0.9 - 0.001 * number) for number, box in enumerate(corners)])
    for most, value in ((100, 84 / 101), (150, 1)):
        made = task(max_boxes=150, max_detections=most)
        scores = made.score(batch(made, *[example(*rows)] * 2), [said, said], FACTS)
        assert scores.metrics["mask_map_50"].value == pytest.approx(value)
        assert scores.metrics["box_map_50"].value == pytest.approx(value)
        assert scores.details["max_detections"] == most


# ── recipes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def shapes():
    return shipped_recipes()["shapes_instances"]


def test_no_output_shares_its_tensor_with_another():
    graph = compile_recipe(load_recipe(shapes(), [])).graphs["segmenter"]
    assert list(graph.outputs) == ["boxes", "scores", "coefficients", "prototypes"]
    assert len(set(graph.outputs.values())) == 4


def test_heads_of_boxes_are_refused_here_and_heads_of_masks_there():
    with pytest.raises(ProblemError, match=r"task\.head.*'decoupled'.*prototypes"):
        load_recipe(shapes(), ["task.head=decoupled"])
    with pytest.raises(ProblemError, match=r"task\.head.*'prototypes'.*decoupled"):
        load_recipe(shipped_recipes()["shapes_detection"], ["task.head=prototypes"])


def test_a_phone_library_that_knows_no_instances_is_told_before_training():
    from cnnpipe.bundle.client import refusals

    loaded = load_recipe(shapes(), ["export=[{target: android, quantization: none}]"])
    compiled = compile_recipe(loaded)
    made = loaded.recipe.task
    found = list(refusals(planned_exports(loaded.recipe), made, compiled.graphs["segmenter"], compiled.facts))
    assert [problem.path for problem in found] == ["export.0"]


def test_the_starter_is_a_recipe(tmp_path):
    import yaml

    source = {"type": "synthetic_shapes", "examples": 60}
    found = TASK.starter({
        "source": source, "class_names": ("circle", "square", "triangle", "star"), "examples": 60,
        "image_size": (128, 128), "color_mode": "rgb", "flip": True, "pretrained": False, "most_boxes": 375,
    })  # fmt: skip
    assert (found.recipe["task"]["max_boxes"], found.recipe["task"]["max_detections"]) == (375, 375)
    file = tmp_path / "first.yaml"
    file.write_text(yaml.safe_dump({"name": "first", **found.recipe}))
    compile_recipe(load_recipe(file, []))
