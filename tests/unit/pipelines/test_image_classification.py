"""Image classification as a task: targets, predictions, scores."""

import json

import numpy as np
import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.preprocessing.image import Image
from cnnpipe.recipe.load import load_recipe
from cnnpipe.registry import room
from cnnpipe.task import Facts

TASK = room("pipelines").load("image_classification")
PICTURE = Image(image_size=(8, 8), color_mode="grayscale")
PETS = ("cat", "dog", "fish")


def task(**options):
    return TASK.model_validate({"type": "image_classification", **options})


def facts(names=PETS):
    return Facts(PICTURE, names)


def truth(*rows, dtype=np.int32):
    return {"probabilities": np.array(rows, dtype)}


# ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_class_names_from_recipe_and_data():
    assert task(classes=3).known_class_names() == ("0", "1", "2")
    assert task(classes=PETS[::-1]).known_class_names() == PETS[::-1]
    assert task().known_class_names() is None
    assert task(classes=3).class_names(facts()) == PETS
    assert task(classes=PETS[::-1]).class_names(facts()) == PETS[::-1]


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"classes": 4}, "classes", "4 classes are stated, but the data has 3 (cat, dog, fish)"),
        ({"classes": ("cat", "dog", "bird")}, "classes", "only stated: bird; only in the data: fish"),
        ({"label_mode": "binary"}, "label_mode", "exactly two classes"),
    ],
)
def test_what_does_not_fit_the_data_is_told(options, path, words):
    (problem,) = task(**options).check(facts())
    assert problem.path == path
    assert words in problem.message


def test_what_fits_is_no_problem():
    for options in ({}, {"classes": 3}, {"classes": PETS[::-1]}, {"label_mode": "multi_label"}):
        assert not task(**options).check(facts())
    assert not task(label_mode="binary").check(facts(("no", "yes")))


@pytest.mark.parametrize("classes", [("cat",), ("cat", "cat"), ("cat", ""), 1, 0])
def test_impossible_classes_are_refused(classes):
    with pytest.raises(ValueError, match="classes"):
        task(classes=classes)


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("label", ["dog", 1, np.int64(1)])
def test_a_label_becomes_its_index(label):
    target = task().encode({"labels": label}, facts())["probabilities"]
    assert target.dtype == np.int32
    assert target == 1


def test_binary_and_several_labels():
    assert task(label_mode="binary").encode({"labels": "yes"}, facts(("no", "yes")))["probabilities"].tolist() == [1.0]
    several = task(label_mode="multi_label")
    assert several.encode({"labels": ("fish", "cat")}, facts())["probabilities"].tolist() == [1, 0, 1]
    assert several.encode({"labels": ()}, facts())["probabilities"].tolist() == [0, 0, 0]
    assert several.encode({"labels": "dog"}, facts())["probabilities"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("label", ["bird", 3, -1, True, 1.0, None])
def test_an_unknown_label_is_named(label):
    with pytest.raises(ValueError, match="none of the 3 classes"):
        task().encode({"labels": label}, facts())


def test_several_labels_need_the_mode_for_them():
    with pytest.raises(ValueError, match=r"cat, dog.* needs label_mode multi_label"):
        task().encode({"labels": ("dog", "cat")}, facts())


# ── predictions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_prediction_of_one_class():
    (prediction,) = task().decode({"probabilities": np.array([[0.2, 0.7, 0.1]], np.float32)}, facts())
    assert prediction["label"] == "dog"
    assert prediction["confidence"] == pytest.approx(0.7)
    assert prediction["confidences"] == pytest.approx({"cat": 0.2, "dog": 0.7, "fish": 0.1})
    assert isinstance(prediction["confidence"], float)


def test_a_binary_prediction_speaks_of_both_classes():
    outputs = {"probabilities": np.array([[0.25], [0.5]], np.float32)}
    no, yes = task(label_mode="binary").decode(outputs, facts(("no", "yes")))
    assert (no["label"], no["confidence"], no["confidences"]) == ("no", 0.75, {"no": 0.75, "yes": 0.25})
    assert (yes["label"], yes["confidence"]) == ("yes", 0.5)


def test_a_prediction_of_several_labels():
    outputs = {"probabilities": np.array([[0.9, 0.5, 0.4], [0.1, 0.2, 0.3]])}
    some, none = task(label_mode="multi_label").decode(outputs, facts())
    assert some["label"] == ["cat", "dog"]
    assert some["confidence"] == 0.5
    assert none["label"] == []
    assert none["confidence"] == pytest.approx(0.7)


# ── scores ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def scored(the_task, the_truth, probabilities, the_facts=None):
    known = the_facts or facts()
    predictions = the_task.decode({"probabilities": np.array(probabilities)}, known)
    each = the_task.example_scores(the_truth, predictions, known)
    return the_task.score(the_truth, predictions, known), each


def test_scores_of_one_class_by_hand():
    rows = [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.7, 0.2], [0.2, 0.5, 0.3]]
    scores, each = scored(task(), truth(0, 0, 1, 2), rows)
    assert each.tolist() == [1, 0, 1, 0]
    accuracy = scores.metrics["accuracy"]
    assert (accuracy.value, accuracy.n) == (0.5, 4)
    assert accuracy.interval == pytest.approx((0.1500, 0.8500), abs=1e-4)
    assert scores.details["confusion_matrix"] == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    dog = scores.details["per_class"]["dog"]
    assert dog["n"] == 1
    assert (dog["precision"]["value"], dog["precision"]["n"]) == (pytest.approx(1 / 3), 3)
    assert dog["recall"]["value"] == 1
    assert dog["f1"]["value"] == pytest.approx(0.5)
    assert scores.metrics["macro_f1"].value == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert "top_5_accuracy" not in scores.metrics


def test_a_class_that_nobody_named_has_precision_of_nothing():
    scores, _ = scored(task(), truth(0, 0), [[0.8, 0.1, 0.1]] * 2)
    assert scores.details["per_class"]["fish"]["precision"] == {"value": 0.0, "n": 0, "interval": (0.0, 1.0)}


def test_calibration_error_by_hand():
    # three decisions at 0.9 of which two are right (bin 0.87-0.93), one at 0.5 that is right
    rows = [[0.9, 0.1, 0], [0.9, 0.1, 0], [0.9, 0.1, 0], [0.5, 0.3, 0.2]]
    scores, _ = scored(task(), truth(0, 0, 1, 0), rows)
    assert scores.metrics["expected_calibration_error"].value == pytest.approx(abs(2.7 - 2) / 4 + abs(0.5 - 1) / 4)
    assert [row["n"] for row in scores.details["reliability"]] == [1, 3]


def test_a_calibrated_model_has_a_small_error_and_a_boastful_one_a_large():
    random = np.random.default_rng(0)
    p = random.uniform(0.4, 1, 4000)
    right = random.uniform(size=4000) < p
    rows = np.stack([p, (1 - p) * 0.7, (1 - p) * 0.3], axis=1)
    honest, _ = scored(task(), {"probabilities": np.where(right, 0, 1)}, rows)
    boastful, _ = scored(task(), {"probabilities": np.where(right, 0, 1)}, [[0.99, 0.005, 0.005]] * 4000)
    error = honest.metrics["expected_calibration_error"]
    assert error.value < 0.03
    assert error.interval[0] < error.interval[1] < 0.06
    assert boastful.metrics["expected_calibration_error"].value > 0.2


def test_top_5_accuracy_with_more_than_five_classes():
    names = tuple("abcdefg")
    rows = [[0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05]] * 2
    scores, _ = scored(task(), truth(4, 5), rows, facts(names))
    assert scores.metrics["top_5_accuracy"].value == 0.5


def test_binary_scores():
    scores, each = scored(
        task(label_mode="binary"), truth([1], [0], [1], dtype=np.float32), [[0.9], [0.6], [0.4]], facts(("no", "yes"))
    )
    assert each.tolist() == [1, 0, 0]
    assert scores.details["confusion_matrix"] == [[0, 1], [1, 1]]


def test_scores_of_several_labels():
    the_task = task(label_mode="multi_label")
    the_truth = truth([1, 1, 0], [0, 0, 1], [0, 0, 0], dtype=np.float32)
    scores, each = scored(the_task, the_truth, [[0.9, 0.1, 0.2], [0.1, 0.1, 0.8], [0.3, 0.3, 0.3]])
    assert the_task.headline().name == "example_f1"
    assert each == pytest.approx([2 / 3, 1, 1])
    assert scores.metrics["example_f1"].value == pytest.approx(each.mean())
    assert scores.metrics["subset_accuracy"].value == pytest.approx(2 / 3)
    assert "confusion_matrix" not in scores.details


@pytest.mark.parametrize("mode", ["single_label", "binary", "multi_label"])
def test_the_mean_of_example_scores_is_the_headline(mode):
    random = np.random.default_rng(3)
    names = ("no", "yes") if mode == "binary" else PETS
    the_task, width = task(label_mode=mode), 1 if mode == "binary" else 3
    hot = random.integers(0, 2, (50, width)).astype(np.float32)
    the_truth = {"probabilities": random.integers(0, 3, 50) if mode == "single_label" else hot}
    scores, each = scored(the_task, the_truth, random.uniform(size=(50, width)), facts(names))
    assert each.mean() == pytest.approx(scores.metrics[the_task.headline().name].value)


def test_figures_are_drawn():
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    scores, _ = scored(task(), truth(0, 1), [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1]])
    figures = task().figures(scores, facts())
    assert set(figures) == {"reliability.png", "confusion_matrix.png"}
    for draw in figures.values():
        figure, axes = pyplot.subplots()
        draw(axes)
        assert axes.get_title()
        pyplot.close(figure)


# ── networks and recipes ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mode", "names", "units", "activation"),
    [
        ("single_label", PETS, 3, "softmax"),
        ("binary", ("no", "yes"), 1, "sigmoid"),
        ("multi_label", PETS, 3, "sigmoid"),
    ],
)
def test_the_network_ends_in_probabilities(mode, names, units, activation):
    from cnnpipe.model import Model

    model = Model.model_validate({"blocks": ("flatten",)})
    (graph,) = task(label_mode=mode).networks(model, facts(names), lambda path: None).values()
    last = graph.nodes[graph.outputs["probabilities"]]
    assert (last.shape, last.type.activation) == ((units,), activation)
    assert [graph.nodes[p].shape for p in graph.inputs.values()] == [(8, 8, 1)]
    assert last.path == "task.head"


def test_pooling_a_vector_is_an_error_at_the_head():
    from cnnpipe.model import Model

    model = Model.model_validate({"blocks": ("flatten",)})
    head = {"type": "classification", "pooling": "average"}
    with pytest.raises(ProblemError) as error:
        task(head=head).networks(model, facts(), lambda path: None)
    assert error.value.problems[0].path == "task.head"


@pytest.mark.parametrize(("size", "side"), [((20, 30), 32), ((600, 400), 128), ((100, 70), 64)])
def test_the_first_recipe_is_valid_and_fits_what_was_found(size, side, tmp_path):
    found = {
        "source": {"type": "image_folder", "path": "photos"}, "class_names": PETS, "examples": 90,
        "image_size": size, "color_mode": "rgb", "pretrained": False,
    }  # fmt: skip
    (tmp_path / "first.yaml").write_text(json.dumps(TASK.starter(found).recipe))  # JSON is YAML
    recipe = load_recipe(tmp_path / "first.yaml").recipe
    assert recipe.task.classes == PETS
    assert recipe.export[1].max_drop >= 1 / 8  # a single lost example must not fail the gate, of 8 by a poor draw
    assert recipe.data.preprocessing.image_size == (side, side)
    assert not any(change.type == "random_flip" for change in recipe.data.augmentation)


@pytest.mark.parametrize(
    ("size", "color_mode", "pretrained", "side", "reason"),
    [
        ((600, 400), "rgb", True, 224, "A MobileNetV2 that knows ImageNet's photos"),
        ((130, 140), "rgb", True, 128, "A MobileNetV2 that knows ImageNet's photos"),
        ((600, 400), "rgb", False, None, "as you asked for"),
        ((600, 400), "grayscale", True, None, "these are in gray"),
        ((60, 80), "rgb", True, None, "these are of only 60x80 pixels"),
    ],
)
def test_a_first_recipe_begins_with_pretrained_weights_where_it_pays(
    size, color_mode, pretrained, side, reason, tmp_path
):
    found = {
        "source": {"type": "image_folder", "path": "photos"}, "class_names": PETS, "examples": 90,
        "image_size": size, "color_mode": color_mode, "pretrained": pretrained,
    }  # fmt: skip
    starter = TASK.starter(found)
    (tmp_path / "first.yaml").write_text(json.dumps(starter.recipe))
    recipe = load_recipe(tmp_path / "first.yaml").recipe
    assert reason in " ".join(starter.reasons)
    if side is None:
        assert recipe.model.backbone is None
        return
    assert recipe.model.backbone.weights == "imagenet"
    assert recipe.data.preprocessing.image_size == (side, side)
    assert [phase.freeze for phase in recipe.training.phases] == ["backbone", "P4"]


def test_a_first_recipe_needs_two_classes():
    found = {
        "class_names": ("cat",),
        "examples": 90,
        "image_size": (20, 30),
        "color_mode": "rgb",
        "source": {},
        "pretrained": True,
    }
    with pytest.raises(ProblemError, match="there is only 'cat'"):
        TASK.starter(found)
