"""Puts weights that were located into the nodes of a backbone; the head keeps what it began with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.backbones._application import Application
from cnnpipe.build import refresh
from cnnpipe.errors import Problem, ProblemError, dotted
from cnnpipe.graph import Graph, GraphBuilder, Node
from cnnpipe.pretrained.locate import WEIGHTS, Located
from cnnpipe.recipe.load import load_recipe
from cnnpipe.recipe.phases import is_backbone
from cnnpipe.runs import LABELS, RESOLVED, Run
from cnnpipe.task import Facts

if TYPE_CHECKING:
    import keras
    import numpy as np


def load_weights(located: Located, graphs: Mapping[str, Graph], models: Mapping[str, keras.Model]) -> dict[str, Any]:
    """Set the weights of all nodes of the backbone, in every network that has it.

    Args:
        located: What `locate_weights` found.
        graphs: The networks.
        models: Their Keras models, by the same names.

    Returns:
        What `run.json` keeps: `source`, `file`, `sha256`, `licence`, and of an earlier run its name as `run`.

    Raises:
        ProblemError: They cannot be read or downloaded, or do not fit, array for array.
    """
    try:
        for name, graph in graphs.items():
            nodes = _weighted(graph)
            if nodes:
                arrays = _kept(_arrays(located, graph), located, graph, nodes)
                _set(graph, nodes, arrays, models[name], located.file)
    except ProblemError as error:
        raise ProblemError(problem.at(located.place, dotted(WEIGHTS)) for problem in error.problems) from error
    record: dict[str, Any] = {
        "source": located.source,
        "file": str(located.file),
        "sha256": _digest(located.file),
        "licence": located.licence,
    }
    return record if located.run is None else {**record, "run": located.run.reference}


def _weighted(graph: Graph) -> list[Node]:
    """Return the nodes of the backbone that have weights, in graph order."""
    return [node for node in graph.nodes if is_backbone(node) and node.type.weights(*graph.input_shapes(node))]


def _kept(
    arrays: Sequence[Sequence[np.ndarray]], located: Located, graph: Graph, nodes: Sequence[Node]
) -> Sequence[Sequence[np.ndarray]]:
    """Return the arrays of the nodes that a network has, where it ends before its backbone does.

    A neck that does not read the last feature maps leaves out what makes them. The whole backbone tells which nodes
    lead to the maps that are there; they stand in the same order in both.
    """
    if len(arrays) == len(nodes) or not isinstance(located.backbone, Application):
        return arrays
    (start, *_) = graph.inputs.values()
    builder = GraphBuilder()
    end = located.backbone.expand(builder, builder.input("image", graph.nodes[start].shape))
    whole = builder.build({**builder.levels(), "end": end})
    levels = [level for level, position in graph.features.items() if is_backbone(graph.nodes[position])]
    leading = _leading_to(whole, [whole.outputs[level] for level in levels if level in whole.outputs])
    weighted = [at for at, node in enumerate(whole.nodes) if node.type.weights(*whole.input_shapes(node))]
    same = [whole.nodes[at].type for at in weighted if at in leading] == [node.type for node in nodes]
    if len(weighted) != len(arrays) or not same:
        return arrays
    return [found for at, found in zip(weighted, arrays, strict=True) if at in leading]


def _leading_to(graph: Graph, ends: Sequence[int]) -> set[int]:
    """Return the positions of all nodes that these need, and their own."""
    found, waiting = set[int](), list(ends)
    while waiting:
        position = waiting.pop()
        if position not in found:
            found.add(position)
            waiting.extend(graph.nodes[position].inputs)
    return found


def _set(
    graph: Graph, nodes: Sequence[Node], arrays: Sequence[Sequence[np.ndarray]], model: keras.Model, file: Path
) -> None:
    if len(nodes) != len(arrays):
        raise ProblemError(Problem(f"{file} has weights of {len(arrays)} layers, and the backbone has {len(nodes)}"))
    for node, found in zip(nodes, arrays, strict=True):
        wanted = {name: tuple(shape) for name, shape in node.type.weights(*graph.input_shapes(node)).items()}
        shapes = [tuple(array.shape) for array in found]
        if list(wanted.values()) != shapes:
            message = f"{file} has arrays of the shapes {shapes} for the layer '{node.name}', which has {wanted}"
            raise ProblemError(Problem(message))
    for node, found in zip(nodes, arrays, strict=True):
        model.get_layer(node.name).set_weights(list(found))
    refresh(model)


def _arrays(located: Located, graph: Graph) -> Sequence[Sequence[np.ndarray]]:
    """Return the arrays of each weighted node of the backbone, in graph order."""
    if located.run is not None:
        return _arrays_of_run(located.run, located.file)
    if not isinstance(located.backbone, Application):
        raise ProblemError(Problem(f"{located.file} holds no weights of '{located.backbone.type}'"))
    from cnnpipe.applications import application_weights

    (start, *_) = graph.inputs.values()
    height, width, *_ = graph.nodes[start].shape
    source = "imagenet" if located.source == "imagenet" else located.file
    try:
        return application_weights(located.backbone, source, (height, width))
    except ProblemError:
        raise
    except Exception as error:  # Keras raises it as it is when a download fails
        if located.source != "imagenet":
            raise
        raise ProblemError(Problem(
            f"the published weights cannot be downloaded ({error})",
            hint=f"Put the file {located.file.name} into {located.file.parent}, or write '{{file: PATH}}'.",
        )) from error  # fmt: skip


def _arrays_of_run(run: Run, file: Path) -> list[list[np.ndarray]]:
    """Return what the backbone of an earlier run learned."""
    from cnnpipe.safe_model import load_keras

    loaded = load_recipe(run.folder / RESOLVED)
    recipe = loaded.recipe
    names = tuple(run.read_text(LABELS).splitlines()) if (run.folder / LABELS).is_file() else None
    networks = recipe.task.networks(recipe.model, Facts(recipe.data.preprocessing, names), loaded.place_of)
    layers = {layer.name: layer for layer in load_keras(file).layers}
    nodes = _weighted(recipe.task.deployed(networks))
    if missing := [node.name for node in nodes if node.name not in layers]:
        raise ProblemError(Problem(f"{file} lacks layers of its backbone: {', '.join(missing[:5])}"))
    return [layers[node.name].get_weights() for node in nodes]


def _digest(file: Path) -> str:
    total = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            total.update(chunk)
    return total.hexdigest()
