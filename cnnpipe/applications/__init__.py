"""keras.applications, the only place that runs it: published weights for the stored graphs, and the graphs themselves.

`python -m cnnpipe.applications` writes all stored graphs anew.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.applications.correspondence import carried, correspondence
from cnnpipe.applications.importing import ImportedNode, import_model
from cnnpipe.applications.weight_files import check_file, told
from cnnpipe.backbones._application import DEVIATION, MEAN, Application
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Graph, GraphBuilder, Shape
from cnnpipe.graph.matching import Difference
from cnnpipe.graph.nodes.rescaling import Normalization, Rescaling

if TYPE_CHECKING:
    import keras
    import numpy as np


def application_weights(
    backbone: Application, source: str | Path, size: tuple[int, int] = (224, 224)
) -> list[list[np.ndarray]]:
    """Return the weights of a backbone from Keras's own files.

    Args:
        backbone: The network.
        source: `imagenet` (Keras's cache, else its download, checked by Keras), or a file that Keras wrote for the same
            network without its head: `.weights.h5`, or `.h5` of weights or of a whole model.
        size: Height and width of the input, which decide the published file for some families.

    Returns:
        The arrays of each node of the backbone's graph that has weights, in graph order.

    Raises:
        ProblemError: The file cannot be read, or belongs to another network; says what does not fit.
    """
    if source != "imagenet":
        check_file(Path(source))
    try:
        model = keras_model(backbone, "imagenet" if source == "imagenet" else str(source), (*size, 3))
    except (ValueError, OSError, KeyError) as error:
        raise ProblemError(Problem(
            f"{source} does not fit '{backbone.type}' ({backbone.keras_function.text}): {told(error)}",
            hint="Give the file of the same network without its head.",
        )) from error  # fmt: skip
    if source != "imagenet":
        check_file(Path(source), model)
    nodes = import_model(model)
    nodes = nodes[: len(nodes) - backbone.left_to_head]
    if source == "imagenet":
        nodes = _without_rescaling(nodes)
    elif backbone.rescales_published:
        nodes = _as_published(nodes)
    arrays = _in_our_order(backbone, nodes, (*size, 3))
    if backbone.reads_bgr:
        arrays[0][0] = arrays[0][0][:, :, ::-1]
    return arrays


def keras_model(backbone: Application, weights: str | None, shape: Shape) -> keras.Model:
    """Return the network in Keras, without its head.

    Args:
        backbone: Which one.
        weights: `imagenet`, a file, or None.
        shape: Height, width and channels of the input.
    """
    import keras

    keras.config.set_image_data_format("channels_last")  # a user's keras.json may say otherwise
    function = backbone.keras_function
    make = getattr(keras.applications, function.name)
    with warnings.catch_warnings():  # of sizes without weights of their own, and hundreds of parts of foreign files
        warnings.simplefilter("ignore")
        return make(include_top=False, weights=weights, input_shape=shape, **function.arguments)


def backbone_graph(backbone: Application, shape: Shape) -> Graph:
    """Return the network for an input of this shape."""
    builder = GraphBuilder()
    return builder.build({"features": backbone.layers(builder, builder.input("input", shape))})


def _in_our_order(backbone: Application, nodes: tuple[ImportedNode, ...], shape: Shape) -> list[list[np.ndarray]]:
    """Return the arrays of each node of our network that has weights, which may stand in another order than Keras's."""
    import keras

    graph = backbone_graph(backbone, shape)
    try:
        pairs = correspondence(graph, nodes)
    except Difference as difference:
        theirs = nodes[difference.theirs - 1].layer if difference.theirs else "input"
        ours = graph.nodes[difference.ours]
        raise ProblemError(Problem(
            f"{backbone.keras_function.text} of Keras {keras.__version__} is not the network that is meant: "
            f"its layer '{theirs}' differs from the one in {ours.block or ours.name}: {difference.message}",
            hint="Install a version of Keras that cnnpipe was tested with, or keep to the published blocks.",
        )) from difference  # fmt: skip
    return list(carried(graph, nodes, pairs).values())


def _without_rescaling(nodes: tuple[ImportedNode, ...]) -> tuple[ImportedNode, ...]:
    """Return the nodes without a rescaling after measured statistics, which becomes part of their variance.

    EfficientNet has it with ImageNet's weights only: (x - mean) / sqrt(variance) * scale.
    """
    import numpy as np

    for position, node in enumerate(nodes):
        before = nodes[position - 1]
        if not (isinstance(node.type, Rescaling) and before.type == Normalization() and position):
            continue
        mean, variance, count = before.arrays
        scaled = (variance / np.square(np.asarray(node.type.scale))).astype(variance.dtype)
        kept = replace(before, arrays=(mean, scaled, count))
        rest = [replace(n, inputs=tuple(i - (i > position) for i in n.inputs)) for n in nodes[position + 1 :]]
        return (*nodes[: position - 1], kept, *rest)
    return nodes


def _as_published(nodes: tuple[ImportedNode, ...]) -> tuple[ImportedNode, ...]:
    """Return the nodes of a file, with the rescaling that its weights were trained with.

    Keras leaves it out for files. Those with ImageNet's statistics come from the published weights, which have it.
    """
    import numpy as np

    position = next(number for number, node in enumerate(nodes) if node.type == Normalization())
    mean, variance, count = nodes[position].arrays
    if not (np.allclose(mean, MEAN, atol=1e-4) and np.allclose(variance, np.square(DEVIATION), atol=1e-4)):
        return nodes
    arrays = (mean, (variance * np.asarray(DEVIATION)).astype(variance.dtype), count)
    return (*nodes[:position], replace(nodes[position], arrays=arrays), *nodes[position + 1 :])
