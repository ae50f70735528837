"""Describe a recipe's network: every layer with its shape, parameters, multiply-adds, receptive field and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnpipe.errors import Problem
from cnnpipe.graph import Graph, table
from cnnpipe.jobs.compiling import compile_loaded
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.recipe.schema import Recipe


@dataclass(frozen=True)
class Description:
    """What a recipe compiles to.

    Args:
        name: The recipe's name.
        graphs: Its networks by name.
        layers: One row per node of the graph: name, block, type, line, output_shape (without the batch), parameters,
            macs, receptive_field (per axis, None once the whole input is seen), activation_bytes.
        dense_weights: What a fully connected layer in each layer's place would have, None where that means nothing.
        totals: parameters, macs, and activation_bytes as the peak of live tensors.
        features: Feature maps by level, each with layer, output_shape and receptive_field.
        weights: What is known of the file of pretrained weights: file, url, licence.
        warnings: What is legal but surely unwanted.
        only_trained: What the networks have only while they are trained, which is counted nowhere else.
    """

    name: str
    graphs: Mapping[str, Graph]
    layers: tuple[Mapping[str, Any], ...]
    dense_weights: tuple[int | None, ...]
    totals: Mapping[str, int]
    features: Mapping[str, Mapping[str, Any]]
    weights: Mapping[str, str]
    warnings: tuple[Problem, ...] = ()
    only_trained: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: layers, totals, features, weights."""
        features = {level: dict(feature) for level, feature in self.features.items()}
        totals, weights = dict(self.totals), dict(self.weights)
        return {"layers": list(self.layers), "totals": totals, "features": features, "weights": weights}


def describe(recipe: str | Path | LoadedRecipe, overrides: Sequence[str] = ()) -> Description:
    """Compile a recipe and count. Neither data nor TensorFlow is needed when the recipe states its classes.

    Args:
        recipe: A file, or the name of a shipped recipe.
        overrides: Changes of single values, each `dotted.path=value`.

    Raises:
        ProblemError: The recipe is wrong.
    """
    loaded = load_recipe(recipe, overrides)
    compiled = compile_loaded(loaded)
    graphs = compiled.graphs
    return Description(
        loaded.name,
        graphs,
        tuple(row for graph in graphs.values() for row in table.rows(graph)),
        tuple(weights for graph in graphs.values() for weights in table.dense_parameters(graph)),
        table.totals(graphs),
        {level: feature for graph in graphs.values() for level, feature in table.features(graph).items()},
        weights_of(loaded.recipe),
        tuple(dict.fromkeys((*loaded.warnings, *compiled.problems))),
        compiled.only_trained,
    )


def weights_of(recipe: Recipe) -> dict[str, str]:
    """Return what is known of the file of pretrained weights that a recipe asks for; may be empty."""
    backbone, shape = recipe.model.backbone, recipe.data.preprocessing.input_shape()
    return backbone.source((shape[0], shape[1])) if backbone is not None and len(shape) == 3 else {}


def keras_script(description: Description) -> str:
    """Return the networks as a plain Keras script that needs no cnnpipe."""
    from cnnpipe.graph import keras_script as script

    return script.keras_script(description.graphs, description.name)


def plot(description: Description, file: Path, every: bool = False) -> None:
    """Draw the networks: a box per block with what it is made of.

    Args:
        description: What `describe` returned.
        file: Where to write; its ending, .svg or .png, is the format.
        every: Draw a box per layer instead.

    Raises:
        ProblemError: The ending is another one, or the file cannot be written.
    """
    from cnnpipe.report.block_plot import plot_blocks
    from cnnpipe.report.graph_plot import plot_graphs

    if every:
        plot_graphs(description.graphs, file)
    else:
        plot_blocks(description.graphs, description.name, file)
