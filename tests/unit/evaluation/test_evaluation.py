"""Evaluation: the task's own answers, and paired comparisons."""

from types import SimpleNamespace

import numpy as np
import pytest

from cnnpipe.evaluation import Evaluation, caller, compare, evaluate, headline_value, predict_outputs
from cnnpipe.preprocessing.image import Image
from cnnpipe.registry import room
from cnnpipe.task import Facts, Metric, Score, Scores, Signature

FACTS = Facts(Image(image_size=(2, 2), color_mode="grayscale"), ("no", "yes"))
TASK = room("pipelines").load("image_classification").model_validate({"type": "image_classification"})


def outputs(*said):
    return {"probabilities": np.eye(2)[list(said)] * 0.8 + 0.1}


def test_evaluate_decodes_and_scores():
    split = SimpleNamespace(targets={"probabilities": np.array([0, 1, 1, 1])})
    evaluation = evaluate(TASK, outputs(0, 1, 1, 0), split, FACTS)
    assert [prediction["label"] for prediction in evaluation.predictions] == ["no", "yes", "yes", "no"]
    assert evaluation.scores.metrics["accuracy"].value == 0.75
    assert evaluation.example_scores.tolist() == [1, 1, 1, 0]
    assert headline_value(TASK, outputs(0, 1, 1, 0), split, FACTS) == 0.75


def test_a_drop_is_a_paired_count():
    split = SimpleNamespace(targets={"probabilities": np.zeros(10, int)})
    before = evaluate(TASK, outputs(0, 0, 0, 0, 0, 0, 0, 1, 1, 1), split, FACTS)
    after = evaluate(TASK, outputs(1, 1, 1, 0, 0, 0, 0, 0, 1, 1), split, FACTS)
    drop = compare(TASK, before, after)
    assert drop.drop == pytest.approx(0.2)
    assert (drop.differs, drop.lost, drop.won, drop.n) == (4, 3, 1, 10)


def test_a_drop_of_an_error_is_its_rise():
    def measured(*errors):
        scores = Scores({"mean_absolute_error": Score(float(np.mean(errors)), len(errors))})
        return Evaluation(scores, [{}] * len(errors), np.array(errors))

    task = SimpleNamespace(headline=lambda: Metric("mean_absolute_error", higher_is_better=False))
    drop = compare(task, measured(1.0, 2.0, 3.0), measured(1.5, 2.0, 2.0))
    assert drop.drop == pytest.approx(-1 / 6)
    assert (drop.differs, drop.lost, drop.won) == (2, 1, 1)


def test_a_task_without_example_scores_has_a_drop_without_counts():
    scores = [Scores({"ap": Score(value, 3)}) for value in (0.5, 0.4)]
    task = SimpleNamespace(headline=lambda: Metric("ap"))
    drop = compare(task, *(Evaluation(one, [{}] * 3, None) for one in scores))
    assert drop.drop == pytest.approx(0.1)
    assert (drop.differs, drop.lost, drop.won, drop.n) == (None, None, None, 3)


@pytest.fixture(scope="module")
def keras():
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    return keras


def test_outputs_of_a_model_in_batches(keras):
    image = keras.Input((2, 2, 1), name="image")
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(image)))
    pixels = np.random.default_rng(0).integers(0, 256, (11, 2, 2, 1), np.uint8)
    found = predict_outputs(model, {"image": pixels}, TASK.signature(FACTS), batch_size=4)
    assert found["probabilities"].shape == (11, 2)
    assert found["probabilities"] == pytest.approx(model.predict(pixels.astype("float32"), verbose=0), abs=1e-6)


def test_a_caller_sees_new_weights(keras):
    image = keras.Input((2,), name="image")
    model = keras.Model(image, keras.layers.Dense(1, use_bias=False)(image))
    call = caller(model, Signature({"image": "images"}, {"value": ""}, "any"))
    model.set_weights([np.array([[1.0], [0.0]])])
    assert call({"image": np.array([[3, 5]])})["value"].tolist() == [[3.0]]
    model.set_weights([np.array([[0.0], [1.0]])])
    assert call({"image": np.array([[3, 5]])})["value"].tolist() == [[5.0]]


def test_models_with_several_inputs_and_outputs(keras):
    inputs = {name: keras.Input((1,), name=name) for name in ("first", "second")}
    sums = {"sum": inputs["first"] + inputs["second"], "difference": inputs["first"] - inputs["second"]}
    model = keras.Model(inputs, sums)
    signature = Signature({"first": "a", "second": "b"}, {"sum": "", "difference": ""}, "any")
    found = predict_outputs(model, {"second": np.array([[2]]), "first": np.array([[5]])}, signature)
    assert (found["sum"].item(), found["difference"].item()) == (7.0, 3.0)
