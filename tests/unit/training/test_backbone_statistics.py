"""Statistics of pixels that are weights of a backbone, as EfficientNetV2 has: seen after a resumed training too."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from cnnpipe.backbones._application import Application
from cnnpipe.build import refresh
from cnnpipe.errors import ProblemError
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.rescaling import Normalization
from cnnpipe.graph.stored import StoredGraph, StoredNode

NODES = (Normalization(), Convolution(4, 3, strides=2, padding="same"), Activation("swish"))
TINY = StoredGraph(tuple(StoredNode(node, (number,)) for number, node in enumerate(NODES)), {"P1": 3})
RECIPE = (
    "data.preprocessing={image_size: [32, 32], color_mode: rgb}",
    "model={backbone: {type: efficientnet_v2, weights: none}}",
    "data.augmentation=[]",
    "training.epochs=2",
    "training.batch_size=400",
    "training.restore=last",
)


def build_with_statistics(training: Any) -> dict[str, Any]:
    """Build the model, with statistics as published weights have them."""
    models: dict[str, Any] = type(training).build(training)
    (layer,) = (layer for layer in training.model.layers if type(layer).__name__ == "Normalization")
    layer.set_weights([np.array([100, 110, 120]), np.array([900, 1600, 2500]), np.array(1)])
    refresh(training.model)
    return models


def predicted(model: Any) -> np.ndarray:
    return np.asarray(model(np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype("float32")))


def test_statistics_of_a_backbone_are_seen_after_a_stop(training: Any, monkeypatch: Any, press_ctrl_c_at: Any) -> None:
    monkeypatch.setattr(Application, "stored_graph", lambda backbone: TINY)
    whole, stopped = training(*RECIPE), training(*RECIPE)
    monkeypatch.setattr("cnnpipe.training.pace.MOST_STEPS", 1)
    with monkeypatch.context() as patch:
        for small in (whole, stopped):
            patch.setattr(small, "build", partial(build_with_statistics, small))
        press_ctrl_c_at(stopped, 5)
        whole.fit()
        with pytest.raises(ProblemError, match="up to step 5 is saved"):
            stopped.fit()
    stopped.fit(resume=True)
    assert len(whole.model.layers) < 10, "the backbone is the tiny one"
    assert stopped.digest() == whole.digest()
    np.testing.assert_array_equal(predicted(stopped.model), predicted(whole.model))
