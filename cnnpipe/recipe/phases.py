"""What the phases of a training mean for a network: which nodes learn, how that is told, and what is unwanted in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from cnnpipe.errors import Problem
from cnnpipe.graph import Graph, Node
from cnnpipe.graph.core import count
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.schema import Phase, Recipe, Training

BACKBONE = "model.backbone"
"""Recipe path of the nodes that a phase can freeze."""
STATISTICS = ("moving_mean", "moving_variance")
"""Weights that no optimizer changes."""
LAG = 0.1
"""Share of their start that averages of weights may keep."""


def frozen_nodes(graph: Graph, phase: Phase) -> frozenset[int]:
    """Return the positions of all nodes of the backbone whose weights, if they have any, stay as they are.

    These are its nodes up to what `freeze` names, and unless the phase trains them all BatchNorm nodes of the rest. All
    of them work as in inference.

    Raises:
        KeyError: The graph has no feature map of the level that `freeze` names.
    """
    backbone = {number for number, node in enumerate(graph.nodes) if is_backbone(node)}
    found = set[int]()
    if phase.freeze == "backbone":
        found |= backbone
    elif phase.freeze != "none":
        found |= backbone & ancestors(graph, [graph.features[phase.freeze]])
    if phase.batch_normalization == "inference":
        found |= {number for number in backbone if isinstance(graph.nodes[number].type, BatchNormalization)}
    return frozenset(found)


def ancestors(graph: Graph, positions: Iterable[int]) -> frozenset[int]:
    """Return these nodes and all that they depend on."""
    found, waiting = set[int](), list(positions)
    while waiting:
        position = waiting.pop()
        if position not in found:
            found.add(position)
            waiting += graph.nodes[position].inputs
    return frozenset(found)


def is_backbone(node: Node) -> bool:
    """Return whether a node belongs to the backbone."""
    return node.path == BACKBONE or node.path.startswith(f"{BACKBONE}.")


def trainable_parameters(graph: Graph, frozen: frozenset[int]) -> int:
    """Return the number of weights that an optimizer changes when these nodes are frozen."""
    learning = (node for number, node in enumerate(graph.nodes) if number not in frozen)
    return sum(
        count(shape for name, shape in node.type.weights(*graph.input_shapes(node)).items() if name not in STATISTICS)
        for node in learning
    )


def phase_lines(recipe: Recipe, graphs: Mapping[str, Graph]) -> Iterator[str]:
    """Return one line for each phase that a recipe names: what learns in it, and how."""
    training = recipe.training
    for phase in training.phases:
        learning = sum(trainable_parameters(graph, frozen_in(graph, phase)) for graph in graphs.values())
        optimizer, schedule = training.optimizer_of(phase), training.schedule_of(phase)
        frozen = {"none": "nothing frozen", "backbone": "backbone frozen"}.get(
            phase.freeze, f"frozen up to {phase.freeze}"
        )
        how = f"{optimizer.type} at {optimizer.learning_rate:g}" + (f", {schedule.type}" if schedule else "")
        epochs = f"{phase.epochs} epoch{'s' * (phase.epochs != 1)}"
        yield f"phase {phase.name}: {epochs}, {frozen}, {learning:,} parameters learn, {how}"


def frozen_in(graph: Graph, phase: Phase | None) -> frozenset[int]:
    """Return the frozen nodes of any network; one without a backbone has none."""
    has_backbone = any(is_backbone(node) for node in graph.nodes)
    return frozen_nodes(graph, phase) if phase is not None and has_backbone else frozenset()


def schedule_warnings(loaded: LoadedRecipe, training_examples: int) -> Iterator[Problem]:
    """Return what schedules do not reach in the phases that they have."""
    training = loaded.recipe.training
    for number, phase in enumerate(training.parts):
        schedule, updates = training.schedule_of(phase), updates_in(training, phase, training_examples)
        path = ("training", "phases", number, "schedule") if phase.schedule else ("training", "schedule")
        for message in schedule.warnings(updates) if schedule else ():
            yield Problem(
                message,
                loaded.place_of(path),
                ".".join(map(str, path)),
                "Choose fewer updates, or more epochs.",
                "warning",
            )


def average_warnings(loaded: LoadedRecipe, training_examples: int) -> Iterator[Problem]:
    """Return a warning for each phase that is too short for the averages of its weights to leave their start."""
    training = loaded.recipe.training
    for number, phase in enumerate(training.parts):
        optimizer, updates = training.optimizer_of(phase), updates_in(training, phase, training_examples)
        kept = optimizer.ema_momentum**updates
        if not optimizer.use_ema or kept <= LAG:
            continue
        own = ("phases", number) if phase.optimizer else ()
        path = ("training", *own, "optimizer", "ema_momentum")
        yield Problem(
            f"{updates} updates are too few for averages of weights: they keep {kept:.0%} of the start of the phase",
            loaded.place_of(path), ".".join(map(str, path)), "Train more epochs, or choose a smaller ema_momentum.",
            "warning",
        )  # fmt: skip


def updates_in(training: Training, phase: Phase, training_examples: int) -> int:
    """Return how often a phase changes the weights, but for the rounding of epochs."""
    steps = phase.epochs * math.ceil(training_examples / training.batch_size)
    return steps // (training.optimizer_of(phase).gradient_accumulation_steps or 1)


def phase_warnings(loaded: LoadedRecipe, graphs: Mapping[str, Graph]) -> Iterator[Problem]:
    """Return what is surely unwanted in the phases of a network."""
    backbone = loaded.recipe.model.backbone
    if backbone is None:
        return
    for number, phase in enumerate(loaded.recipe.training.phases):
        key = "batch_normalization"
        place, path = loaded.place_of(("training", "phases", number, key)), f"training.phases.{number}.{key}"
        normalized = any(_normalized(graph) for graph in graphs.values())
        if phase.batch_normalization == "training" and not normalized:
            yield Problem("the backbone has no BatchNorm layers", place, path, "Delete it.", "warning")
        if backbone.pretrained:
            continue
        if phase.freeze == "backbone":
            freeze = f"training.phases.{number}.freeze"
            hint = "Train it first, or begin with weights that were."
            yield Problem("the frozen backbone has random weights", place, freeze, hint, "warning")
        elif phase.batch_normalization == "inference" and normalized:
            yield Problem(
                "the backbone starts from random weights, and the statistics of its BatchNorm layers stay as they are",
                place, path, "Write batch_normalization: training.", "warning",
            )  # fmt: skip


def learning_epochs(recipe: Recipe, graph: Graph, number: int) -> int:
    """Return in how many epochs a node learns."""
    return sum(phase.epochs for phase in recipe.training.parts if number not in frozen_in(graph, phase))


def _normalized(graph: Graph) -> bool:
    return any(isinstance(node.type, BatchNormalization) and is_backbone(node) for node in graph.nodes)
