"""Object detection as a task: targets, predictions, scores."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cnnpipe.boxes.anchors import anchors, encode
from cnnpipe.build import build_model
from cnnpipe.bundle.client import refusals
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.heads._single_stage import MIDDLE
from cnnpipe.placement import Placement
from cnnpipe.preprocessing.image import Image
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.load import load_recipe, shipped_recipes
from cnnpipe.registry import room
from cnnpipe.task import Facts

TASK = room("pipelines").load("object_detection")
CELLS = ("cyst", "fat", "red")
PICTURE = Image(image_size=(64, 96))


def task(**options):
    options.setdefault("head", {"type": "decoupled", "levels": ("P3", "P4")})
    return TASK.model_validate({"type": "object_detection", **options})


def facts(names=CELLS, source=None):
    return Facts(PICTURE, names, source_class_names=source)


def example(*rows, **more):
    table = np.array(rows, float).reshape(-1, 5)
    return {
        "bounding_boxes": {"boxes": table[:, :4].astype(np.float32), "labels": table[:, 4].astype(np.int32), **more}
    }


def places():
    return anchors({"P3": (8, 12), "P4": (4, 6)}, 4.0)


def outputs(*objects):
    """Outputs of one example that say these objects, each in the cell next to its middle: box, class, score."""
    boxes, scores = np.zeros((1, len(places()), 4), np.float32), np.zeros((1, len(places()), len(CELLS)), np.float32)
    for box, label, score in objects:
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
        free = scores[0].max(1) == 0
        row = np.where(free, np.abs(places()[:, :2] - middle).sum(1), np.inf).argmin()
        boxes[0, row] = encode(np.float32(box), places()[row]) + MIDDLE
        scores[0, row, label] = score
    return {"boxes": boxes, "scores": scores}


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_boxes_become_rows_with_padding():
    found = task(max_boxes=3).encode(example((1, 2, 30, 40, 2), (5, 5, 9, 9, 0)), facts())
    assert found["boxes"].tolist() == [[1, 2, 30, 40], [5, 5, 9, 9], [0, 0, 0, 0]]
    assert found["labels"].tolist() == [2, 0, -1]
    assert found["crowd"].tolist() == [0, 0, 0]


def test_labels_are_those_of_the_recipe_whatever_the_order_of_the_source():
    names = facts(source=("red", "cyst", "fat"))
    assert task(max_boxes=1).encode(example((1, 2, 30, 40, 0)), names)["labels"].tolist() == [2]


def test_an_example_without_objects_is_fine():
    assert task(max_boxes=2).encode(example(), facts())["labels"].tolist() == [-1, -1]


def test_more_boxes_than_there_is_room_for_are_counted():
    with pytest.raises(ValueError, match=r"3 boxes, and task\.max_boxes is 2"):
        task(max_boxes=2).encode(example(*[(1, 1, 5, 5, 0)] * 3), facts())


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match="3 classes"):
        task().encode(example((1, 1, 5, 5, 3)), facts())


def test_the_loss_reads_what_augmentation_left_of_the_targets():
    made = task(max_boxes=2)
    targets = {key: value[None] for key, value in made.encode(example((1, 2, 3, 4, 1), crowd=[True]), facts()).items()}
    (found,) = made.training_targets(targets).values()
    assert np.asarray(found).tolist() == [[[1, 2, 3, 4, 1, 1], [0, 0, 0, 0, -1, 0]]]


# ── predictions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_decoding_gives_the_surest_first_in_pixels_as_json():
    said = outputs(([8, 8, 40, 40], 2, 0.4), ([50, 10, 90, 60], 0, 0.9))
    (prediction,) = task().decode(said, facts())
    assert [thing["label"] for thing in prediction["objects"]] == ["cyst", "red"]
    np.testing.assert_allclose(prediction["objects"][0]["box"], [50, 10, 90, 60], atol=1e-4)
    assert json.loads(json.dumps(prediction)) == prediction


def test_boxes_end_at_the_edges_and_unsure_ones_are_not_given():
    said = outputs(([-10, 8, 40, 70], 2, 0.4), ([50, 10, 90, 60], 0, 0.04))
    (prediction,) = task().decode(said, facts())
    (thing,) = prediction["objects"]
    np.testing.assert_allclose(thing["box"], [0, 8, 40, 64], atol=1e-4)


@pytest.mark.parametrize(("suppression", "left"), [("per_class", 2), ("across_classes", 1)])
def test_of_boxes_that_overlap_one_is_left(suppression, left):
    said = outputs(([8, 8, 40, 40], 2, 0.4), ([9, 8, 41, 40], 2, 0.6), ([8, 9, 40, 41], 0, 0.5))
    (prediction,) = task(suppression=suppression).decode(said, facts())
    assert [thing["confidence"] for thing in prediction["objects"]] == pytest.approx([0.6, 0.5][:left])


def listed(made, said):
    """What a file that suppresses inside says, of what the network says."""
    names = {"boxes": (len(places()), 4), "scores": (len(places()), len(CELLS))}
    graph = GraphBuilder()
    image = graph.input("image", (64, 96, 3))
    first = {name: graph.input(name, shape) for name, shape in names.items()}
    network = graph.build({**first, "image": image})
    behind = made.postprocessed(network, "non_max_suppression")
    model = build_model(replace(behind, inputs={name: behind.inputs[name] for name in ("boxes", "scores")}))
    return {name: np.asarray(values) for name, values in model({k: np.float32(v) for k, v in said.items()}).items()}


@pytest.mark.parametrize("suppression", ["per_class", "across_classes"])
def test_a_file_that_suppresses_inside_says_the_same(suppression):
    random = np.random.default_rng(5)
    made = task(suppression=suppression, max_detections=9, score_threshold=0.3, iou_threshold=0.4)
    said = {"boxes": random.normal(3, 0.4, (3, len(places()), 4)), "scores": random.random((3, len(places()), 3)) ** 4}
    said["scores"][2] = 0
    found = listed(made, said)
    assert {name: values.shape for name, values in found.items()} == {
        "location": (3, 9, 4), "category": (3, 9), "score": (3, 9), "count": (3,)
    }  # fmt: skip
    for one, other in zip(made.decode(said, facts()), made.decode(found, facts()), strict=True):
        assert [thing["label"] for thing in other["objects"]] == [thing["label"] for thing in one["objects"]]
        for thing, again in zip(one["objects"], other["objects"], strict=True):
            np.testing.assert_allclose(again["box"], thing["box"], atol=1e-3)
            assert again["confidence"] == pytest.approx(thing["confidence"])
    assert found["count"].tolist() == [9, 9, 0]


def test_classes_do_not_suppress_each_other_however_large_their_boxes_are():
    said = outputs(([8, 8, 40, 40], 2, 0.4), ([8, 8, 40, 40], 0, 0.5))
    said["boxes"][0, 0], said["scores"][0, 0, 1] = [0, 0, 6, 6], 0.35
    assert listed(task(), said)["category"][0, :3].tolist() == [0, 2, 1]


def test_a_head_that_cannot_be_told_by_nodes_has_no_list():
    class Silent(type(task().head)):
        def placed(self, graph, outputs, image):
            return None

    made = task().model_copy(update={"head": Silent()})
    with pytest.raises(ProblemError, match="no 'non_max_suppression' behind the head 'decoupled'"):
        listed(made, outputs())


def test_predictions_without_objects_are_fine():
    made = task()
    (prediction,) = made.decode(outputs(), facts())
    assert prediction == {"objects": []}
    assert made.restored(prediction, Placement((10, 10), (0, 0, 10, 10), (64, 96), (0, 0, 96, 64))) == prediction
    assert not made.annotations(prediction, facts()).boxes


def test_boxes_go_back_into_the_picture_and_are_drawn_where_sure():
    made = task()
    (prediction,) = made.decode(outputs(([48, 16, 96, 32], 2, 0.9), ([0, 0, 20, 20], 1, 0.1)), facts())
    restored = made.restored(prediction, Placement((128, 96), (0, 0, 96, 128), (64, 96), (0, 0, 96, 64)))
    np.testing.assert_allclose(restored["objects"][0]["box"], [48, 32, 96, 64], atol=1e-3)
    (box,) = made.annotations(restored, facts()).boxes
    assert (box.label, box.caption) == (2, "red 0.90")


def test_predictions_are_alike_when_what_is_drawn_is_found_by_both():
    made = task()
    said = [
        made.decode(outputs(*objects), facts())[0]
        for objects in (
            [([8, 8, 40, 40], 2, 0.9), ([50, 10, 90, 60], 0, 0.1)],
            [([9, 8, 40, 41], 2, 0.8)],
            [([9, 8, 40, 41], 1, 0.8)],
            [],
        )
    ]
    assert made.alike(said[0], said[1])
    assert not made.alike(said[0], said[2])
    assert not made.alike(said[0], said[3])
    assert not made.alike(said[3], said[0])


# ── scores ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scores_of_right_and_missed_objects():
    made = task(max_boxes=3)
    truth = made.encode(example((8, 8, 40, 40, 2), (50, 10, 90, 60, 0)), facts())
    truth = {key: np.stack([value, value]) for key, value in truth.items()}
    right = made.decode(outputs(([8, 8, 40, 40], 2, 0.9), ([50, 10, 90, 60], 0, 0.8)), facts())
    half = made.decode(outputs(([8, 8, 40, 40], 2, 0.9)), facts())
    scores = made.score(truth, right + half, facts())
    assert scores.metrics["map_50"].value == pytest.approx((1 + 51 / 101) / 2)
    assert scores.metrics["map_50"].n == 2
    assert scores.details["per_class"]["fat"] == {"n": 0, "ap_50": None, "ap_50_95": None}
    assert json.loads(json.dumps(scores.details)) == scores.details
    (draw,) = made.figures(scores, facts()).values()
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    draw(axes)
    assert len(axes.lines) == 2


# ── recipes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def shapes():
    return shipped_recipes()["shapes_detection"]


def test_boxes_and_scores_are_tensors_of_their_own():
    graph = compile_recipe(load_recipe(shapes(), [])).graphs["detector"]
    assert list(graph.outputs) == ["boxes", "scores"]
    assert [graph.nodes[position].shape for position in graph.outputs.values()] == [(80, 4), (80, 4)]


def test_levels_that_the_neck_does_not_give_are_a_problem():
    with pytest.raises(ProblemError, match="no feature map P5"):
        compile_recipe(load_recipe(shapes(), ["task.head.levels=[P4, P5]"]))


def test_the_starter_is_a_recipe(tmp_path):
    import yaml

    source = {"type": "synthetic_shapes", "examples": 60}
    found = TASK.starter({
        "source": source, "class_names": ("circle", "square", "triangle", "star"), "examples": 60,
        "image_size": (128, 128), "color_mode": "rgb", "flip": True, "pretrained": False, "most_boxes": 7,
    })  # fmt: skip
    file = tmp_path / "first.yaml"
    file.write_text(yaml.safe_dump({"name": "first", **found.recipe}))
    compile_recipe(load_recipe(file, []))
    assert found.recipe["task"]["max_boxes"] == 7
    assert "max_boxes is 7" in found.reasons[1]


@pytest.mark.parametrize(
    ("overrides", "refused"),
    [([], True), (["task.iou_threshold=0.3", "task.suppression=across_classes"], False)],
)
def test_a_phone_library_that_suppresses_otherwise_is_told_before_training(overrides, refused):
    loaded = load_recipe(shapes(), ["export=[{target: android, quantization: none}]", *overrides])
    compiled = compile_recipe(loaded)
    made = loaded.recipe.task
    found = list(refusals(planned_exports(loaded.recipe), made, compiled.graphs["detector"], compiled.facts))
    assert [problem.path for problem in found] == ["export.0"] * refused
