"""Phases: what learns in each, how they follow each other, and how a stop between or inside them is undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.phases import average_warnings, frozen_in, phase_lines, trainable_parameters
from cnnpipe.training.phases import set_trainable

BACKBONE = (
    "data.preprocessing={image_size: [32, 32], color_mode: rgb, normalization: {scale: 0.00784, offset: -1.0}}",
    "model={backbone: {type: mobilenet_v2, alpha: 0.35, weights: none}}",
    "data.augmentation=[]",
)
HEAD = "{name: head, epochs: 2, freeze: backbone, learning_rate: 0.01}"
FINE = "{name: fine, epochs: 2, freeze: P4, optimizer: {type: sgd, momentum: 0.9}, schedule: {type: cosine_decay}}"
BLOCKS = (
    "training.phases=[{name: first, epochs: 2, schedule: one_cycle}, "
    "{name: second, epochs: 2, optimizer: {type: adam, use_ema: true}, learning_rate: 0.002}]"
)


def phased(*phases: str) -> tuple[str, ...]:
    return ("training.epochs=null", f"training.phases=[{', '.join(phases)}]", "training.batch_size=400")


def stop_at(training: Any, step: int, press_ctrl_c_at: Any) -> None:
    press_ctrl_c_at(training, step)
    with pytest.raises(ProblemError, match=f"up to step {step} is saved"):
        training.fit()


def without_seconds(rows: Any) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


@pytest.mark.parametrize("freeze", ["backbone", "P3", "none"])
def test_keras_trains_the_weights_that_check_counts(training: Any, freeze: str) -> None:
    from cnnpipe.build import build_model
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    small = training(*BACKBONE, *phased(f"{{name: one, epochs: 1, freeze: {freeze}}}"))
    graphs = compile_recipe(small.loaded, small.data.facts).graphs
    models = {name: build_model(graph) for name, graph in graphs.items()}
    (phase,) = small.loaded.recipe.training.phases
    set_trainable(graphs, models, phase)
    ((graph, model),) = zip(graphs.values(), models.values(), strict=True)
    counted = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    assert trainable_parameters(graph, frozen_in(graph, phase)) == counted
    assert f"{counted:,} parameters learn" in next(phase_lines(small.loaded.recipe, graphs))
    set_trainable(graphs, models, None)
    assert all(layer.trainable for layer in model.layers)


def test_a_frozen_backbone_keeps_its_weights_and_statistics(training: Any) -> None:
    small = training(*BACKBONE, *phased(HEAD), "training.restore=last")
    small.fit()
    after = [np.asarray(variable) for variable in small.model.variables]
    fresh = training(*BACKBONE, *phased(HEAD), "training.restore=last")
    fresh.build()
    before = [np.asarray(variable) for variable in fresh.model.variables]
    changed = [number for number, (a, b) in enumerate(zip(after, before, strict=True)) if not np.array_equal(a, b)]
    assert changed == [len(after) - 2, len(after) - 1]  # kernel and bias of the head


def test_phases_follow_each_other_in_one_history(training: Any) -> None:
    small = training(BLOCKS, "training.epochs=null")
    result = small.fit()
    assert [row["phase"] for row in result.history] == ["first", "first", "second", "second"]
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4]
    assert [row["step"] for row in result.history] == [13, 26, 39, 52]
    rates = [row["learning_rate"] for row in result.history]
    assert rates[1] < 1e-4 < rates[0]  # the last updates of one cycle
    assert rates[2:] == pytest.approx([0.002, 0.002])
    assert small.ears.steps[-1] == 52


@pytest.mark.parametrize("step", [7, 26, 33])
def test_a_stop_inside_and_between_phases_changes_nothing(
    training: Any, monkeypatch: Any, press_ctrl_c_at: Any, step: int
) -> None:
    monkeypatch.setattr("cnnpipe.training.pace.MOST_STEPS", 1)
    whole = training(BLOCKS, "training.epochs=null", "training.restore=last")
    expected = whole.fit()
    small = training(BLOCKS, "training.epochs=null", "training.restore=last")
    stop_at(small, step, press_ctrl_c_at)
    result = small.fit(resume=True)
    assert small.digest() == whole.digest()
    assert without_seconds(result.history) == without_seconds(expected.history)


def test_early_stopping_ends_a_phase_and_the_next_begins(training: Any) -> None:
    small = training(
        "training.epochs=null", "training.phases=[{name: a, epochs: 9, learning_rate: 1e-12}, {name: b, epochs: 1}]",
        "training.early_stopping={patience: 1}",
    )  # fmt: skip
    result = small.fit()
    assert [row["phase"] for row in result.history] == ["a", "a", "b"]
    note = "Phase 'a' stopped early after 2 of 9 epochs: no better accuracy on validation in 1 epoch"
    assert small.ears.notes.count(note) == 1


def test_the_time_limit_ends_the_training_and_keeps_the_best(training: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("cnnpipe.training.keeper.seconds_of", lambda text: 0)
    small = training(BLOCKS, "training.epochs=null", "training.max_time=40m")
    result = small.fit()
    assert (result.epochs, result.best_epoch) == (1, 1)
    assert small.ears.notes[-1] == "Stopped after epoch 1 of 4: max_time is used up"
    monkeypatch.setattr("cnnpipe.training.keeper.seconds_of", lambda text: 10**6)
    assert small.fit(resume=True).epochs == 4


def test_a_time_limit_that_was_over_before_the_first_epoch_was_judged_lets_it_be_judged(
    training: Any, monkeypatch: Any, press_ctrl_c_at: Any
) -> None:
    monkeypatch.setattr("cnnpipe.training.pace.MOST_STEPS", 1)
    small = training(BLOCKS, "training.epochs=null", "training.max_time=40m")
    press_ctrl_c_at(small, 2)
    with pytest.raises(ProblemError, match="up to step 2 is saved"):
        small.fit()
    monkeypatch.setattr("cnnpipe.training.keeper.seconds_of", lambda text: 0)
    result = small.fit(resume=True)
    assert (result.epochs, result.best_epoch, result.history[0]["step"]) == (1, 1, 3)


def test_averages_are_what_is_judged_and_kept(training: Any) -> None:
    from cnnpipe.evaluation import headline_value, predict_outputs

    average = "training.optimizer={type: sgd, learning_rate: 0.3, use_ema: true, ema_momentum: 0.9}"
    small = training(average, "training.restore=last")
    result = small.fit()
    task, facts, split = small.loaded.recipe.task, small.data.facts, small.data.splits["validation"]
    outputs = predict_outputs(small.model, split.inputs, task.signature(facts))
    assert headline_value(task, outputs, split, facts) == result.history[-1]["validation_accuracy"]
    plain = training(average.replace(", use_ema: true, ema_momentum: 0.9", ""), "training.restore=last")
    plain.fit()
    assert plain.digest() != small.digest()


def test_phases_that_are_too_short_for_averages_are_warned_of(training: Any) -> None:
    loaded = training(BLOCKS, "training.epochs=null").loaded  # the second phase: 2 epochs of 13 steps, momentum 0.99
    (problem,) = average_warnings(loaded, 1267)
    assert problem.severity == "warning"
    assert problem.path == "training.phases.1.optimizer.ema_momentum"
    assert "26 updates" in problem.message and "keep 77%" in problem.message
    assert not list(average_warnings(loaded, 12670))
    assert not list(average_warnings(training().loaded, 1267))


def test_mixed_precision_leaves_a_float32_network(training: Any) -> None:
    small = training("training.precision=mixed_bfloat16", "training.epochs=2")
    result = small.fit()
    plain = training("training.epochs=2")
    plain.fit()
    assert {layer.dtype_policy.name for layer in small.model.layers} == {"float32"}
    assert {str(variable.dtype) for variable in small.model.trainable_variables} == {"float32"}
    assert small.digest() != plain.digest()
    assert result.history[-1]["validation_accuracy"] > 0.3


def test_an_epoch_is_a_whole_number_of_updates(training: Any) -> None:
    small = training("training.optimizer={type: sgd, gradient_accumulation_steps: 5}", "training.epochs=1")
    assert small.fit().history[0]["step"] == 15


def test_tensorboard_reads_every_epoch_once_under_the_name_of_its_phase(
    training: Any, monkeypatch: Any, press_ctrl_c_at: Any
) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setattr("cnnpipe.training.pace.MOST_STEPS", 1)
    small = training(BLOCKS, "training.epochs=null")
    stop_at(small, 33, press_ctrl_c_at)
    result = small.fit(resume=True)
    for phase, epochs in (("first", [1, 2]), ("second", [3, 4])):
        found = events.EventAccumulator(str(small.run.folder / "tensorboard" / phase))
        found.Reload()
        tags = {"step", "loss", "accuracy", "validation_accuracy", "learning_rate", "seconds"}
        assert set(found.Tags()["scalars"]) == tags
        for tag in tags - {"seconds"}:
            written = [(scalar.step, scalar.value) for scalar in found.Scalars(tag)]
            kept = [(row["epoch"], pytest.approx(row[tag])) for row in result.history if row["epoch"] in epochs]
            assert written == kept


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_full_disk_below_tensorboards_files_is_a_problem(training: Any, monkeypatch: Any) -> None:
    import tensorflow as tf

    small, writer = training("training.epochs=1"), tf.io.TFRecordWriter
    monkeypatch.setattr("tensorflow.io.TFRecordWriter", lambda path: writer("/dev/full"))
    with pytest.raises(ProblemError, match=r"no space left on the disk for .*tensorboard"):
        small.fit()
    assert small.run.record()["state"] == "failed"
