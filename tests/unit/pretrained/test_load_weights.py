"""Weights come into a backbone array for array; the head keeps what it began with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.pretrained import load_weights, locate_weights
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe

RECIPE = """
task: {type: image_classification}
data:
  source: synthetic_shapes
  preprocessing: {image_size: [32, 32]}
model:
  backbone: {type: mobilenet, alpha: 0.25}
training: {epochs: 2}
"""
Loaded = Callable[..., tuple[Any, Any, dict[str, Any]]]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Return a function that builds the network of the recipe and loads its weights: graph, model, record."""
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE)

    def load(*overrides: str) -> tuple[Any, Any, dict[str, Any]]:
        from cnnpipe.quiet import quiet_tensorflow

        quiet_tensorflow()
        import keras

        from cnnpipe.build import build_model

        keras.utils.set_random_seed(0)
        recipe = load_recipe(file, overrides)
        graphs = compile_recipe(recipe).graphs
        models = {name: build_model(graph) for name, graph in graphs.items()}
        located = locate_weights(recipe, tmp_path / "runs")
        record = load_weights(located, graphs, models) if located else {}
        (graph,), (model,) = graphs.values(), models.values()
        return graph, model, record

    return load


def keras_backbone(name: str = "MobileNet", **arguments: Any) -> Any:
    """Return a network of Keras with no weight at its start value."""
    import keras

    keras.utils.set_random_seed(1)
    model = getattr(keras.applications, name)(**{"include_top": False, "weights": None, **arguments})
    random = np.random.default_rng(2)
    model.set_weights([array + random.uniform(0.1, 0.2, array.shape) for array in model.get_weights()])
    return model


def features(graph: Any, model: Any, images: np.ndarray) -> np.ndarray:
    """Return what the backbone makes of pixels."""
    import keras

    last = [node.name for node in graph.nodes if node.path.startswith("model.backbone")][-1]
    return np.asarray(keras.Model(model.inputs[0], model.get_layer(last).output)(images, training=False))


def test_a_file_of_keras(loaded: Loaded, tmp_path: Path) -> None:
    theirs = keras_backbone(alpha=0.25, input_shape=(32, 32, 3))
    file = tmp_path / "mine.weights.h5"
    theirs.save_weights(file)
    graph, model, record = loaded(f"model.backbone.weights={{file: {file}}}")
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = np.asarray(theirs(images / 127.5 - 1, training=False))
    assert np.allclose(features(graph, model, images), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    _, fresh, _ = loaded("model.backbone.weights=none")
    for mine, other in zip(model.layers[-1].get_weights(), fresh.layers[-1].get_weights(), strict=True):
        assert np.array_equal(mine, other)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert record == {"source": "file", "file": str(file), "sha256": digest, "licence": None}


def test_a_neck_that_leaves_out_the_last_maps_gets_the_weights_of_the_others(loaded: Loaded, tmp_path: Path) -> None:
    theirs = keras_backbone("MobileNetV2", alpha=0.35, input_shape=(32, 32, 3))
    file = tmp_path / "mine.weights.h5"
    theirs.save_weights(file)
    backbone = f"model.backbone={{type: mobilenet_v2, alpha: 0.35, weights: {{file: {file}}}}}"
    neck = "model.neck={type: deeplab_v3_plus, filters: 8, low_level: P2}"
    graph, model, _ = loaded("task={type: semantic_segmentation}", backbone, neck)
    assert "P5" not in graph.features
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = np.asarray(part(theirs, "block_13_expand_relu")(images / 127.5 - 1, training=False))
    found = np.asarray(part(model, graph.nodes[graph.features["P4"]].name)(images, training=False))
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def part(model: Any, layer: str) -> Any:
    """Return a model up to one of its layers."""
    import keras

    return keras.Model(model.inputs[0], model.get_layer(layer).output)


@pytest.mark.parametrize(
    "arguments", [{"alpha": 0.5}, {"alpha": 0.25, "include_top": True}, {"alpha": 0.25, "name": "MobileNetV2"}]
)
def test_a_file_of_another_network(loaded: Loaded, tmp_path: Path, arguments: dict[str, Any]) -> None:
    """Another width, another family, or arrays that are left over."""
    name = arguments.pop("name", "MobileNet")
    alpha = {"alpha": 0.35} if name == "MobileNetV2" else {}
    file = tmp_path / "other.weights.h5"
    keras_backbone(name, **{"input_shape": (32, 32, 3), **arguments, **alpha}).save_weights(file)
    with pytest.raises(ProblemError) as raised:
        loaded(f"model.backbone.weights={{file: {file}}}")
    (problem,) = raised.value.problems
    assert problem.path == "model.backbone.weights" and problem.place and str(file) in problem.message


def test_a_download_that_fails(loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras raises a plain Exception then."""
    import urllib.request
    from contextlib import nullcontext

    import cnnpipe.applications

    def fails(*args: Any) -> Any:
        raise Exception("URL fetch failure")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **kwargs: nullcontext())
    monkeypatch.setattr(cnnpipe.applications, "application_weights", fails)
    with pytest.raises(ProblemError, match=r"cannot be downloaded \(URL fetch failure\).*\{file: PATH\}"):
        loaded()


@pytest.mark.real_data
@pytest.mark.parametrize("way", ["imagenet", "file"])
def test_published_weights(
    loaded: Loaded, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The file of Keras itself, in its cache, and a file by its path: both see pictures as Keras does."""
    import keras

    if way == "imagenet":
        (source,) = (real_data / "weights").glob("keras-mobilenet-0.25-224/*.h5")
        (tmp_path / "keras" / "models").mkdir(parents=True)
        (tmp_path / "keras" / "models" / source.name).symlink_to(source)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
        graph, model, record = loaded()
        made = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=str(source), input_shape=(32, 32, 3))
        assert record["source"] == "imagenet" and record["licence"]
    else:
        (source,) = (real_data / "weights").glob("keras-mobilenetv2-0.35-224/*.h5")
        graph, model, record = loaded(
            f"model.backbone={{type: mobilenet_v2, alpha: 0.35, weights: {{file: {source}}}}}"
        )
        made = keras.applications.MobileNetV2(
            alpha=0.35, include_top=False, weights=str(source), input_shape=(32, 32, 3)
        )
        assert record["source"] == "file" and record["licence"] is None
    assert record["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    expected = np.asarray(made(images / 127.5 - 1, training=False))
    assert expected.std() > 0.1
    assert np.allclose(features(graph, model, images), expected, atol=1e-3)
