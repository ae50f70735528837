"""Training: what it leaves behind, how it stops, how it goes on."""

import csv
import errno
import os
import signal

import numpy as np
import pytest

from cnnpipe import files
from cnnpipe.errors import ProblemError
from cnnpipe.evaluation import headline_value, predict_outputs


def validation_accuracy(training):
    task, facts, split = training.loaded.recipe.task, training.data.facts, training.data.splits["validation"]
    return headline_value(task, predict_outputs(training.model, split.inputs, task.signature(facts)), split, facts)


def test_a_training_learns_and_keeps_its_books(training):
    small = training()
    result = small.fit()
    assert (result.epochs, len(result.history)) == (3, 3)
    accuracies = [row["validation_accuracy"] for row in result.history]
    assert accuracies[-1] > 0.6
    assert result.best_epoch == 1 + max(i for i, a in enumerate(accuracies) if a == max(accuracies))
    assert validation_accuracy(small) == pytest.approx(max(accuracies))
    with (small.run.folder / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert set(rows[0]) == {"epoch", "step", "loss", "accuracy", "validation_accuracy", "learning_rate", "seconds"}
    record = small.run.record()
    assert (record["state"], record["epochs"], record["best_epoch"]) == ("trained", 3, result.best_epoch)


def test_progress_and_the_pace_are_told(training):
    small = training()
    small.fit()
    assert small.ears.steps[-1] == 3 * 13
    assert small.ears.notes == [
        "TensorFlow takes 13 steps per call; an epoch is 13 steps of 100 "
        "(one pass over the 1267 training examples is 12.7)"
    ]


def test_the_last_or_the_best_weights_are_kept(training):
    found = {}
    for restore in ("best", "last"):
        # a learning rate that spoils what was reached
        small = training(f"training.restore={restore}", "training.epochs=4", "training.optimizer.learning_rate=0.2")
        result = small.fit()
        found[restore] = validation_accuracy(small)
        values = [row["validation_accuracy"] for row in result.history]
    assert found["best"] == pytest.approx(max(values))
    assert found["last"] == pytest.approx(values[-1])
    assert found["best"] > found["last"]


def test_equal_seeds_give_equal_weights(training):
    digests = []
    for seed in (0, 0, 1):
        small = training(f"seed={seed}", "training.epochs=1")
        small.fit()
        digests.append(small.digest())
    assert digests[0] == digests[1] != digests[2]


def test_early_stopping(training):
    small = training(
        "training.epochs=50", "training.early_stopping={patience: 2}", "training.optimizer.learning_rate=1e-12"
    )
    result = small.fit()
    assert result.epochs == 3
    assert small.ears.notes[-1] == "Stopped early after 3 of 50 epochs: no better accuracy on validation in 2 epochs"
    assert small.fit(resume=True).epochs == 3  # stopped is stopped


@pytest.mark.parametrize("step", [7, 13, 20])
def test_ctrl_c_saves_and_the_training_goes_on_as_if_nothing_had_been(training, monkeypatch, press_ctrl_c_at, step):
    monkeypatch.setattr("cnnpipe.training.pace.MOST_STEPS", 1)
    whole = training()
    expected = whole.fit()
    small = training()
    press_ctrl_c_at(small, step)
    with pytest.raises(ProblemError, match=f"everything up to step {step} is saved") as error:
        small.fit()
    assert error.value.exit_code == 130
    assert f"cnnpipe train --resume {small.run.folder}" in error.value.problems[0].hint
    assert small.run.record()["state"] == "interrupted"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    result = small.fit(resume=True)
    assert small.digest() == whole.digest()
    assert [{**row, "seconds": 0} for row in result.history] == [{**row, "seconds": 0} for row in expected.history]


def test_a_finished_training_has_nothing_to_go_on_with(training):
    small = training()
    small.fit()
    digest, history = small.digest(), (small.run.folder / "history.csv").read_bytes()
    small.ears.steps.clear()
    small.fit(resume=True)
    assert small.digest() == digest
    assert (small.run.folder / "history.csv").read_bytes() == history
    assert small.ears.steps == []


def test_a_loss_that_is_no_number_stops_at_its_line(training):
    small = training("training.optimizer.learning_rate=1e+30")
    with pytest.raises(ProblemError, match=r"in epoch [12] of 3, at learning rate 1e") as error:
        small.fit()
    assert error.value.problems[0].path == "training.optimizer.learning_rate"
    assert error.value.problems[0].place is not None
    assert small.run.record()["state"] == "failed"


def test_a_full_disk_is_one_problem(training, monkeypatch):
    small = training()
    save = files.os.replace

    def full(source, target):
        if str(target).endswith(".npz"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(ProblemError, match="no space left on the disk"):
        small.fit()
    assert not list((small.run.folder / "checkpoints").iterdir())


def test_a_checkpoint_of_another_network_is_refused(training):
    small = training("training.epochs=1")
    small.fit()
    other = training("training.epochs=2", "model.blocks.0.filters=4")
    other.run = small.run
    with pytest.raises(ProblemError, match="belongs to another network"):
        other.fit(resume=True)


def test_a_damaged_checkpoint_is_told(training):
    small = training("training.epochs=1")
    small.fit()
    file = small.run.folder / "checkpoints" / "state.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ProblemError, match="cannot be read"):
        small.fit(resume=True)


def test_a_history_row_cut_short_is_written_again(training):
    small = training("training.epochs=2")
    small.fit()
    other = training("training.epochs=3")
    other.run = small.run
    with (small.run.folder / "history.csv").open("a") as stream:
        stream.write("3,39,0.1")
    result = other.fit(resume=True)
    assert [row["epoch"] for row in result.history] == [1, 2, 3]
    assert np.isfinite(result.history[2]["seconds"])
