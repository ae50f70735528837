"""The two parts of a network that was cut, as Keras models that share its layers and their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnpipe.build import plan
from cnnpipe.frozen_features.cut import Cut
from cnnpipe.graph import Graph

if TYPE_CHECKING:
    import keras


def first_part(cut: Cut, model: keras.Model) -> keras.Model:
    """Return the model from the input to the cut."""
    return _shared(cut.before, model)


def second_part(cut: Cut, model: keras.Model) -> keras.Model:
    """Return the model from the cut to the outputs."""
    return _shared(cut.after, model)


def with_calm_first_part(cut: Cut, model: keras.Model) -> keras.Model:
    """Return the whole model, whose first part draws no random numbers while the second is trained."""
    if not any(node.type.random for node in cut.before.nodes):
        return model
    import keras

    from cnnpipe.layers.inference import Inference

    (given,) = model.inputs
    entrance = keras.Input(given.shape[1:], name=given.name)
    crossing = Inference(first_part(cut, model), name="frozen")(entrance)
    return keras.Model(entrance, second_part(cut, model)(crossing), name=model.name)


def is_network(model: keras.Model, graph: Graph) -> bool:
    """Whether a model is the network of a graph itself, and no model with a training step of its own around it."""
    names = [layer["name"] for layer in plan(graph)["layers"]]
    return sorted(layer.name for layer in model.layers) == sorted(names)


def _shared(graph: Graph, model: keras.Model) -> keras.Model:
    import keras

    made = plan(graph)
    tensors: dict[str, Any] = {}
    for layer in made["layers"]:
        reads = [tensors[name] for name in layer["inputs"]]
        if not reads:
            tensors[layer["name"]] = keras.Input(name=layer["name"], **layer["config"])
        else:
            call = model.get_layer(layer["name"])
            tensors[layer["name"]] = call(reads[0] if len(reads) == 1 else reads)
    (entrance,) = (tensors[name] for name in made["inputs"].values())
    ends = {tensor: tensors[name] for tensor, name in made["outputs"].items()}
    return keras.Model(entrance, next(iter(ends.values())) if len(ends) == 1 else ends, name=model.name)
