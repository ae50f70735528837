"""What image classification learns from: losses, class weights, mixed labels."""

import keras
import numpy as np
import pytest

from cnnpipe.preprocessing.image import Image
from cnnpipe.recipe.load import load_recipe
from cnnpipe.registry import room
from cnnpipe.task import Facts

TASK = room("pipelines").load("image_classification")
PICTURE = Image(image_size=(8, 8), color_mode="grayscale")
PETS = ("cat", "dog", "fish")
FACTS = Facts(PICTURE, PETS, (10, 20, 70))
INDICES = np.array([0, 1, 2, 2], np.int32)
SHARES = np.random.default_rng(0).dirichlet(np.ones(3), 4).astype(np.float32)


def task(**options):
    return TASK.model_validate({"type": "image_classification", **options})


def loss(truth, outputs, facts=FACTS, **options):
    return float(task(**options).losses(facts)["probabilities"](truth, outputs))


def test_nothing_chosen_is_the_sparse_loss_of_keras_to_the_bit():
    assert loss(INDICES, SHARES) == float(keras.losses.SparseCategoricalCrossentropy()(INDICES, SHARES))
    yes = SHARES[:, :1]
    truth = np.array([[0], [1], [1], [0]], np.float32)
    for mode in ("binary", "multi_label"):
        assert loss(truth, yes, label_mode=mode) == float(keras.losses.BinaryCrossentropy()(truth, yes))


def test_focal_and_smoothing_reach_the_loss():
    wanted = keras.losses.CategoricalFocalCrossentropy(0.5, 3.0, label_smoothing=0.1)(np.eye(3)[INDICES], SHARES)
    found = loss(INDICES, SHARES, loss="focal", gamma=3.0, alpha=0.5, label_smoothing=0.1)
    assert found == pytest.approx(float(wanted), rel=1e-6)
    truth, yes = np.eye(3, dtype=np.float32)[INDICES], SHARES
    balanced = keras.losses.BinaryFocalCrossentropy(True, 0.3, 2.0)(truth, yes)
    found = loss(truth, yes, label_mode="multi_label", loss="focal", alpha=0.3, apply_class_balancing=True)
    assert found == pytest.approx(float(balanced), rel=1e-6)


def test_balanced_weights_give_each_class_the_same_total():
    (said,) = task(class_weights="balanced").decisions(FACTS)
    assert said == "Class weights: cat 3.333, dog 1.667, fish 0.4762"
    each = keras.losses.sparse_categorical_crossentropy(INDICES, SHARES).numpy()
    weights = 100 / (3 * np.array([10, 20, 70]))
    assert loss(INDICES, SHARES, class_weights="balanced") == pytest.approx((each * weights[INDICES]).mean(), rel=1e-5)
    assert not task().decisions(FACTS)


def test_given_weights_are_by_name_and_one_elsewhere():
    assert task(class_weights={"fish": 4}).decisions(FACTS) == ["Class weights: cat 1, dog 1, fish 4"]
    each = keras.losses.sparse_categorical_crossentropy(INDICES, SHARES).numpy()
    assert loss(INDICES, SHARES, class_weights={"fish": 4}) == pytest.approx((each * [1, 1, 4, 4]).mean(), rel=1e-5)
    reordered = task(classes=PETS[::-1], class_weights={"fish": 4})
    assert reordered.decisions(Facts(PICTURE, PETS[::-1])) == ["Class weights: fish 4, dog 1, cat 1"]


def test_both_classes_of_a_binary_task_have_a_weight():
    truth, yes = np.array([[0], [1], [1], [0]], np.float32), SHARES[:, :1]
    each = keras.losses.binary_crossentropy(truth, yes).numpy()
    facts = Facts(PICTURE, ("no", "yes"), (3, 1))
    found = loss(truth, yes, facts, label_mode="binary", class_weights={"no": 2, "yes": 5})
    assert found == pytest.approx((each * [2, 5, 5, 2]).mean(), rel=1e-5)
    assert task(label_mode="binary", class_weights="balanced").decisions(facts) == ["Class weights: no 0.6667, yes 2"]


def test_weights_of_labels_count_where_they_are_given():
    truth = np.eye(3, dtype=np.float32)[INDICES]
    each = keras.losses.binary_crossentropy(truth[..., None], SHARES[..., None]).numpy()
    found = loss(truth, SHARES, label_mode="multi_label", class_weights={"fish": 4})
    assert found == pytest.approx((each * np.where(truth == 1, [1, 1, 4], 1)).mean(), rel=1e-5)


def test_weights_of_unknown_classes_are_told():
    problems = task(class_weights={"fihs": 2, "tree": 1, "cat": 2}).check(FACTS)
    assert [problem.path for problem in problems] == ["class_weights.fihs", "class_weights.tree"]
    assert problems[0].hint == "Did you mean 'fish'?" and "cat, dog, fish" in problems[1].hint
    unknown_yet = task(class_weights={"tree": 2}, label_mode="multi_label")
    assert not unknown_yet.check(Facts(PICTURE))


@pytest.mark.parametrize("weights", ["balance", {"cat": 0}, {"cat": -1}, {"cat": "much"}, 2])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match="class_weights"):
        task(class_weights=weights)


@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        ({}, {"gamma", "alpha", "apply_class_balancing"}),
        ({"loss": "focal"}, {"apply_class_balancing"}),
        ({"loss": "focal", "label_mode": "binary"}, {"alpha"}),
        ({"loss": "focal", "label_mode": "multi_label", "apply_class_balancing": True}, set()),
    ],
)
def test_keys_that_do_nothing_are_known(options, ignored):
    assert set(task(**options).ignored_keys()) == ignored


def test_labels_that_can_be_mixed():
    targets = {"probabilities": keras.ops.convert_to_tensor(INDICES)}
    soft = task().soft_labels(targets, FACTS)["probabilities"]
    assert np.array_equal(soft, np.eye(3)[INDICES])
    assert loss(soft, SHARES) == pytest.approx(loss(INDICES, SHARES), rel=1e-6)
    (metric,) = task().metrics(FACTS)["probabilities"]
    assert float(metric(soft, SHARES)) == (SHARES.argmax(1) == INDICES).mean()
    shares = {"probabilities": keras.ops.convert_to_tensor(SHARES)}
    assert task(label_mode="multi_label").soft_labels(shares, FACTS) == shares


def test_mixed_labels_of_decisions_are_judged_by_the_threshold():
    (metric,) = task(label_mode="binary").metrics(FACTS)["probabilities"]
    assert metric.name == "binary_accuracy"
    assert float(metric(np.array([[0.8], [0.3], [0.1]]), np.array([[0.9], [0.6], [0.2]]))) == pytest.approx(2 / 3)


MIXED = """
name: mixed
task: {type: image_classification, label_smoothing: 0.1, class_weights: balanced}
data:
  source: digits
  preprocessing: {image_size: [16, 16], color_mode: grayscale}
  augmentation: [mix_up, cut_mix, rand_augment]
model: {blocks: [flatten, {type: dense, units: 8}]}
training: {epochs: 1, batch_size: 64, optimizer: adam}
"""


def test_a_recipe_may_mix_labels(tmp_path):
    (tmp_path / "mixed.yaml").write_text(MIXED)
    loaded = load_recipe(tmp_path / "mixed.yaml")
    assert [spec.type for spec in loaded.recipe.data.augmentation] == ["mix_up", "cut_mix", "rand_augment"]
