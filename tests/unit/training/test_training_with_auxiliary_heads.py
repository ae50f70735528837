"""Auxiliary heads in a training: they change what is learned, and nothing has them afterwards."""

import csv

import keras
import numpy as np
import pytest

from cnnpipe.training import InterruptedRun, deployed_model, save_model

HEAD = "task.auxiliary_heads=[{after: blocks.0, blocks: [flatten, {type: dense, units: 8, dropout: 0.5}]}]"


def networks(small):
    return small.loaded.recipe.task.networks(small.loaded.recipe.model, small.data.facts, small.loaded.place_of)


def deployed(small):
    return deployed_model(small.loaded.recipe.task, networks(small), {"classifier": small.model})


def columns(small):
    with (small.run.folder / "history.csv").open() as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def test_they_train_resume_and_vanish(training, press_ctrl_c_at, tmp_path, monkeypatch):
    monkeypatch.setattr("cnnpipe.training.pace.MOST_STEPS", 1)
    whole = training(HEAD, "training.optimizer.use_ema=true", "training.optimizer.ema_momentum=0.5")
    whole.fit()
    for row in columns(whole):
        losses = row["probabilities_loss"] + 0.3 * row["auxiliary_1_loss"]
        assert row["loss"] == pytest.approx(losses, rel=1e-5) and row["validation_accuracy"] > 0.1
    other = training(HEAD, "training.optimizer.use_ema=true", "training.optimizer.ema_momentum=0.5")
    press_ctrl_c_at(other, 20)
    with pytest.raises(InterruptedRun):
        other.fit()
    other.fit(resume=True)
    assert other.digest() == whole.digest()

    model = deployed(whole)
    (graph,) = networks(whole).values()
    assert {layer.name for layer in model.layers} == {"image", *(node.name for node in graph.nodes[1:])}
    images = np.asarray(whole.data.splits["test"].inputs["image"][:4], "float32")
    save_model(model, tmp_path / "model.keras")
    opened = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(opened(images).numpy(), whole.model(images)["probabilities"].numpy())


def test_they_teach_the_layers_before_them(training):
    """Nothing else than the auxiliary loss can tell two trainings apart whose own losses are the same at the start."""
    plain, taught = training("training.epochs=1"), training("training.epochs=1", HEAD)
    for small in (plain, taught):
        small.fit()
    kernels = [small.model.get_layer("n002_convolution").get_weights()[0] for small in (plain, taught)]
    assert not np.allclose(*kernels)


def test_mixed_labels_reach_all_outputs(training):
    mixing = "data.augmentation=[{type: mix_up, alpha: 0.2}]"
    small = training("training.epochs=1", HEAD, mixing)
    small.fit()
    assert np.isfinite(columns(small)[-1]["auxiliary_1_loss"])


def test_a_phase_that_freezes_trains_them_on_features(training):
    phases = "training.phases=[{name: all, epochs: 1, freeze: none}]"
    small = training("training.epochs=null", phases, HEAD)
    assert small.fit().epochs == 1 and len(deployed(small).outputs) == 1
