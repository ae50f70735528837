"""Local response normalization: TensorFlow's values, in a file that opens without cnnpipe, and a script without it."""

import json
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.blocks.local_response_normalization import LocalResponseNormalization
from cnnpipe.build import build_model
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.keras_script import keras_script
from cnnpipe.spec import Spec

SHAPE = (4, 5, 7)


def graph_of(**options):
    graph = GraphBuilder()
    return graph.build({"normalized": LocalResponseNormalization(**options).expand(graph, graph.input("image", SHAPE))})


def images():
    return np.random.default_rng(0).normal(scale=30, size=(3, *SHAPE)).astype("float32")


@pytest.mark.parametrize(
    "options",
    [{}, {"depth_radius": 1, "bias": 1.0, "alpha": 0.5, "beta": 0.5}, {"depth_radius": 9, "bias": 1.0, "alpha": 0.01}],
)
def test_values_are_those_of_tensorflow(options):
    block = LocalResponseNormalization(**options)
    expected = tf.nn.local_response_normalization(images(), block.depth_radius, block.bias, block.alpha, block.beta)
    np.testing.assert_allclose(build_model(graph_of(**options))(images()), expected, rtol=2e-6)


def test_the_saved_model_is_made_of_plain_keras(tmp_path):
    build_model(graph_of()).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = archive.read("config.json").decode()
    assert "cnnpipe." not in config and json.loads(config)["module"].startswith("keras.")


def test_the_script_has_its_source():
    space: dict = {}
    script = keras_script({"model": graph_of()}, "normalized")
    assert "def local_response_normalization(" in script and "cnnpipe" not in script
    exec(script, space)
    np.testing.assert_array_equal(space["model"](images()), build_model(graph_of())(images()))


def test_half_precision_does_not_overflow():
    """Squares of 600 are above the largest float16."""
    model = build_model(graph_of())
    large = np.full((1, *SHAPE), 600, "float32")
    assert np.isfinite(model(tf.cast(large, "float16")).numpy()).all()


def test_other_powers_are_refused():
    assert issubclass(LocalResponseNormalization, Spec)
    with pytest.raises(ValueError, match=r"expected 0.5 or 0.75"):
        LocalResponseNormalization(beta=0.6)
