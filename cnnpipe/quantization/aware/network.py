"""From a trained network's graph to the one that is trained on with rounding in it, and to its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import Granularity
from cnnpipe.graph import Graph
from cnnpipe.graph.folding import Folded, fold
from cnnpipe.quantization.aware.expansion import expand
from cnnpipe.quantization.aware.insertion import insert, unfit
from cnnpipe.recipe.schema import Recipe


@dataclass(frozen=True)
class Rounded:
    """A network with fake quantization.

    Args:
        exact: The same network without it, folded; it makes the weights of both from those of the trained one.
        graph: The network.
    """

    exact: Folded
    graph: Graph


def unfit_layers(recipe: Recipe, graph: Graph) -> Iterator[Problem]:
    """Yield the layers of a network that cannot be trained as an export asks, each at its recipe line.

    A ladder is not meant: it can do without.

    Args:
        recipe: The recipe.
        graph: The network that is exported.
    """
    if any(export.quantization_aware and export.quantization == "int8" for export in recipe.export):
        yield from unfit(fold(expand(graph)).graph)


def rounded(graph: Graph, granularity: Granularity, carried: bool, pixels: bool) -> Rounded:
    """Put fake quantization into a network.

    Args:
        graph: The network.
        granularity: Whether kernels have a scale for each output channel, where LiteRT can have several.
        carried: Whether the file's input tensor carries the rescaling that the network begins with.
        pixels: Whether its inputs are pixels from 0 to 255.

    Raises:
        ProblemError: It has layers that cannot be trained so; names all of them.
    """
    exact = fold(expand(graph), keep_input_rescaling=carried)
    if problems := list(unfit(exact.graph)):
        raise ProblemError(problems)
    return Rounded(exact, insert(exact.graph, granularity, pixels))
