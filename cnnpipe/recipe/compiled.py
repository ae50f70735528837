"""From a checked recipe to its graphs, without the data where the recipe tells enough."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cnnpipe.errors import Place, Problem, ProblemError, dotted
from cnnpipe.graph import Graph, Node
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.graph.nodes.rearrange import Flatten
from cnnpipe.graph.totals import parameters
from cnnpipe.recipe.load import LoadedRecipe, in_order
from cnnpipe.recipe.phases import BACKBONE, is_backbone, learning_epochs, phase_warnings
from cnnpipe.task import Facts

HUGE_DENSE = 50_000_000
"""From how many weights on a dense layer after a flatten is surely unwanted: 200 MB in float32."""

LAG = 0.05
"""Largest share of their start values that BatchNorm's moving averages may keep without a warning."""


@dataclass(frozen=True)
class Compiled:
    """A recipe as graphs.

    Args:
        graphs: The networks by name, as the task gives them.
        trained: The same networks as they are trained: with outputs more, where the task has such.
        facts: What was known of the data.
        problems: Warnings: what is legal but surely unwanted.
    """

    graphs: Mapping[str, Graph]
    trained: Mapping[str, Graph]
    facts: Facts
    problems: tuple[Problem, ...] = ()

    @property
    def only_trained(self) -> tuple[str, ...]:
        """What the networks have only while they are trained, at most one line."""
        more = [graph.outputs.keys() - self.graphs[name].outputs.keys() for name, graph in self.trained.items()]
        outputs = sorted(set[str]().union(*more))
        if not outputs:
            return ()
        added = sum(map(parameters, self.trained.values())) - sum(map(parameters, self.graphs.values()))
        return (f"while training {added:,} parameters more, for {' and '.join(outputs)}",)


def compile_recipe(loaded: LoadedRecipe, facts: Facts | None = None) -> Compiled:
    """Expand a recipe into its graphs.

    Args:
        loaded: The recipe.
        facts: What is known of the data; when left out, what the recipe and its source tell without reading anything.

    Raises:
        ProblemError: The task does not fit the data, or shapes do not fit, at the line of the block; or a phase freezes
            up to a level that the backbone does not have.
    """
    facts = facts or facts_of(loaded)
    task = loaded.recipe.task
    found = [_located(problem, loaded) for problem in task.check(facts)]
    if any(problem.severity == "error" for problem in found):
        raise ProblemError(in_order(found))
    graphs = task.networks(loaded.recipe.model, facts, loaded.place_of)
    trained = task.training_networks(graphs, loaded.recipe.model, facts, loaded.place_of)
    if unknown := list(_unknown_levels(loaded, graphs)):
        raise ProblemError(in_order(unknown))
    backbone = loaded.place_of(("model", "backbone"))
    for graph in graphs.values():
        found += [*_tiny_features(graph, backbone), *_huge_dense(graph)]
        found += _second_head(graph, facts, len(loaded.recipe.model.blocks or ()))
    found += phase_warnings(loaded, graphs)
    return Compiled(graphs, trained, facts, tuple(in_order(found)))


def facts_of(loaded: LoadedRecipe) -> Facts:
    """Return what the recipe alone tells of the data."""
    recipe = loaded.recipe
    source, stated = recipe.data.source, recipe.task.known_class_names()
    names = stated if stated and source.names_need_a_library else source.class_names() or stated
    return Facts(recipe.data.preprocessing, names)


def gate_warnings(loaded: LoadedRecipe, validation_examples: int) -> Iterator[Problem]:
    """Return a warning for every `max_drop` that a single example of the validation split exceeds."""
    if not loaded.recipe.task.headline().share:
        return
    for number, export in enumerate(loaded.recipe.export):
        if export.max_drop is not None and 0 < export.max_drop * validation_examples < 1:
            yield Problem(
                f"{export.max_drop:g} is less than one of {validation_examples} validation examples "
                f"({1 / validation_examples:.2g}), so that a single lost example fails the gate",
                loaded.place_of(("export", number, "max_drop")),
                f"export.{number}.max_drop",
                "Write 0 if none may be lost, or use more examples.",
                severity="warning",
            )


def lag_warnings(loaded: LoadedRecipe, graphs: Mapping[str, Graph], training_examples: int) -> Iterator[Problem]:
    """Return a warning when the training is too short for the moving averages of BatchNorm to leave their start.

    Those of a pretrained backbone start from what they learned.
    """
    recipe = loaded.recipe
    pretrained = recipe.model.backbone is not None and recipe.model.backbone.pretrained
    for graph in graphs.values():
        for number, node in enumerate(graph.nodes):
            if not isinstance(node.type, BatchNormalization) or (pretrained and is_backbone(node)):
                continue
            epochs = learning_epochs(recipe, graph, number)
            steps = epochs * math.ceil(training_examples / recipe.training.batch_size)
            kept = node.type.momentum**steps if steps else 0
            if kept > LAG:
                yield Problem(
                    f"{steps} steps are too few for BatchNorm: its averages keep {kept:.0%} of their start "
                    "values, so the model can be right in training and wrong afterwards",
                    node.place,
                    node.path,
                    "Train more epochs, or leave out batch_normalization.",
                    severity="warning",
                )
                return


def _unknown_levels(loaded: LoadedRecipe, graphs: Mapping[str, Graph]) -> Iterator[Problem]:
    """A phase can freeze the backbone up to a feature map that it has."""
    known = sorted({level for graph in graphs.values() for level in graph.features})
    for number, phase in enumerate(loaded.recipe.training.phases):
        path = ("training", "phases", number, "freeze")
        if phase.freeze not in ("none", "backbone", *known):
            message = f"the backbone has no feature map of level {phase.freeze}"
            yield Problem(message, loaded.place_of(path), dotted(path), f"It has {', '.join(known) or 'none'}.")


def _located(problem: Problem, loaded: LoadedRecipe) -> Problem:
    path = ("task", *problem.path.split(".")) if problem.path else ("task",)
    return replace(problem, place=problem.place or loaded.place_of(path), path=".".join(path))


def _tiny_features(graph: Graph, place: Place | None) -> Iterator[Problem]:
    """Warn of a backbone whose last layers see maps of a single position: most of its weights then see nothing."""
    maps = [node for node in graph.nodes if is_backbone(node) and len(node.shape) == 3]
    if maps and maps[-1].shape[:2] == (1, 1):
        (size,) = {graph.nodes[position].shape[:2] for position in graph.inputs.values()}
        yield Problem(
            f"the backbone makes a 1x1 map of an input of {size[0]}x{size[1]}, where its last layers see no neighbours",
            place,
            BACKBONE,
            "Make 'data.preprocessing.image_size' larger.",
            severity="warning",
        )


def _huge_dense(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        if isinstance(node.type, Dense) and graph.parameters(node) >= HUGE_DENSE and _is_flat(graph, node):
            values = math.prod(graph.input_shapes(node)[0])
            yield Problem(
                f"flatten of {values:,} values into dense {node.type.units:,} is "
                f"{round(values * node.type.units / 1e6):,} million weights",
                node.place,
                node.path,
                "Put global_average_pooling in the place of flatten, or pool more often before it.",
                severity="warning",
            )


def _is_flat(graph: Graph, node: Node) -> bool:
    """Whether the input of `node` is a flattened map, perhaps after layers that keep its size."""
    size = graph.input_shapes(node)[0]
    while node.inputs:
        node = graph.nodes[node.inputs[0]]
        if isinstance(node.type, Flatten):
            return True
        if node.shape != size:
            return False
    return False


def _second_head(graph: Graph, facts: Facts, blocks: int) -> Iterator[Problem]:
    last = [node for node in graph.nodes if node.path == f"model.blocks.{blocks - 1}"]
    dense = [node for node in last if isinstance(node.type, Dense)]
    classes = len(facts.class_names or ())
    if classes and dense and last[-1].shape == (classes,):
        yield Problem(
            f"the last dense has {classes} units, as many as there are classes, and the task adds its own dense "
            f"{classes} after it",
            dense[-1].place,
            dense[-1].path,
            "Delete this block: the head belongs to the task.",
            severity="warning",
        )
