"""Turns a graph into a `keras.Model` of Keras's own layers, and moves its weights by layer name."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.graph import Graph

if TYPE_CHECKING:
    import keras
    import numpy as np

Weights = Mapping[str, Sequence["np.ndarray"]]
"""Arrays of each layer that has any, by the layer's name, in Keras's order."""


def plan(graph: Graph) -> dict[str, Any]:
    """Return the layers of a model as plain values that JSON can hold.

    Layers are called like their nodes, at fixed width in graph order, because the LiteRT converter sorts operators by
    name; an input is called like its tensor.

    Returns:
        `layers`: a list of `name`, `class_name`, `config`, `inputs` (names of the layers that it reads), in order; one
            that calls an earlier layer again has `again` and `arguments` too, one that takes its input several times
            `copies`.
        `inputs` and `outputs`: layer name by tensor name.
    """
    names = [node.name for node in graph.nodes]
    for tensor, position in graph.inputs.items():
        names[position] = tensor
    layers = []
    for name, node in zip(names, graph.nodes, strict=True):
        layer = node.type.keras_layer(*graph.input_shapes(node))
        config = {key: _plain(value) for key, value in layer.config.items()}
        inputs = [names[position] for position in node.inputs]
        again = {"again": layer.again, "arguments": dict(layer.arguments)} if layer.again else {}
        copies = {"copies": layer.copies} if layer.copies > 1 else {}
        made = {"name": name, "class_name": layer.class_name, "config": config, "inputs": inputs, **again, **copies}
        layers.append(made)
    return {
        "layers": layers,
        "inputs": {tensor: names[position] for tensor, position in graph.inputs.items()},
        "outputs": {tensor: names[position] for tensor, position in graph.outputs.items()},
    }


def has_own_ranges(made: Mapping[str, Any]) -> bool:
    """Return whether the network of a `plan` says the ranges of its activations itself: nothing is calibrated then."""
    return any(layer["class_name"].endswith(".FakeQuantization") for layer in made["layers"])


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def build_model(graph: Graph | Mapping[str, Any]) -> keras.Model:
    """Build the Keras model of a graph, or of its `plan`.

    Returns:
        A functional model called `cnnpipe`. One input or output is a tensor, several are a dictionary by tensor name.
    """
    import keras

    keras.config.set_image_data_format("channels_last")  # a user's keras.json may say otherwise
    made = plan(graph) if isinstance(graph, Graph) else graph
    tensors: dict[str, Any] = {}
    callables: dict[str, Any] = {}
    for layer in made["layers"]:
        name, config = layer["name"], layer["config"]
        if layer["class_name"] == "InputLayer":
            tensors[name] = keras.Input(name=name, **config)
            continue
        reads = [tensors[read] for read in layer["inputs"]]
        if "again" in layer:
            callables[name] = callables[layer["again"]]
        else:
            callables[name] = layer_class(layer["class_name"])(name=name, **config)
        handed = reads * layer.get("copies", 1) if len(reads) == 1 else [reads]
        tensors[name] = callables[name](*handed, **layer.get("arguments", {}))
    inputs, outputs = ({tensor: tensors[name] for tensor, name in made[key].items()} for key in ("inputs", "outputs"))
    return keras.Model(_only(inputs), _only(outputs), name="cnnpipe")


def layer_class(name: str) -> Any:
    """Return a class of `keras.layers`, or with a module what makes one of the few layers that Keras lacks."""
    import keras

    module, _, short = name.rpartition(".")
    return getattr(importlib.import_module(module), short) if module else getattr(keras.layers, name)


def _only(tensors: dict[str, Any]) -> Any:
    return next(iter(tensors.values())) if len(tensors) == 1 else tensors


def with_outputs(model: keras.Model, outputs: Collection[str]) -> keras.Model:
    """Return the model of some of the outputs, with the layers of `model` that they need; itself when it has no other.

    Args:
        model: What `build_model` returned, or a part of it.
        outputs: Names of outputs.
    """
    import keras

    if len(model.outputs) == len(outputs):
        return model
    return keras.Model(model.input, _only({name: model.output[name] for name in outputs}), name=model.name)


def get_weights(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Return the weights of every layer that has any, by layer name."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Set the weights of every layer by its name.

    Raises:
        ValueError: A layer of the model is missing in `weights`, or one of `weights` in the model.
    """
    names = {layer.name for layer in model.layers if layer.weights}
    if names != set(weights):
        raise ValueError(f"weights of other layers: {sorted(names ^ set(weights))}")
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(list(weights[layer.name]))
    refresh(model)


def scatter_weights(model: keras.Model, seed: int) -> None:
    """Give weights that start as one and the same number different ones, as training does.

    A converter leaves out offsets of 0 and takes equal factors together, so that an untrained network would become
    another program than the trained one.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    for weight in model.weights:
        values = np.asarray(weight)
        if values.dtype.kind == "f" and values.size and (first := values.flat[0]) == values.min() == values.max():
            spread = (
                first * generator.uniform(0.6, 1.4, values.shape)
                if first
                else generator.uniform(-0.3, 0.3, values.shape)
            )
            weight.assign(spread.astype(values.dtype))
    refresh(model)


def refresh(model: keras.Model) -> None:
    """Let layers that compute with copies of their weights see that these were assigned."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.finalize_state()


def save_weights(file: Path, weights: Weights) -> None:
    """Write weights as an `.npz` file with one array `layer/number` each."""
    import numpy as np

    arrays = {f"{name}/{number}": array for name, arrays in weights.items() for number, array in enumerate(arrays)}
    with file.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def load_weights(file: Path) -> dict[str, list[np.ndarray]]:
    """Read what `save_weights` wrote."""
    import numpy as np

    weights: dict[str, list[np.ndarray]] = {}
    with np.load(file, allow_pickle=False) as arrays:
        for key in arrays.files:  # in the order of writing
            weights.setdefault(key.rpartition("/")[0], []).append(arrays[key])
    return weights
