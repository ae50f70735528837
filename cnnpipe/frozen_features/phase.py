"""What a phase is trained on: the whole network and pixels, or what follows its frozen layers and their features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.augmentations import Augmentation
from cnnpipe.data import LoadedData, SplitData
from cnnpipe.errors import ProblemError
from cnnpipe.events import Listener
from cnnpipe.frozen_features import cache
from cnnpipe.frozen_features.cut import Cut, best_cut
from cnnpipe.frozen_features.features import Features, Wanted, features_of, size_of
from cnnpipe.frozen_features.parts import is_network, second_part, with_calm_first_part
from cnnpipe.graph import Graph
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.phases import frozen_nodes
from cnnpipe.recipe.schema import Phase
from cnnpipe.task import Task

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class PhaseData:
    """What `fit` is called on.

    Args:
        model: The network, or the part of it that follows the frozen layers; its layers are those of the network.
        graph: The graph of this model.
        training: Its training examples; their inputs are called like the network's input, pixels or features.
        validation: Its validation examples.
        augmentation: Random changes of training examples; none for features.
        views: How many copies of each training example the inputs hold, as `training_batches` takes it.
    """

    model: keras.Model
    graph: Graph
    training: SplitData
    validation: SplitData
    augmentation: tuple[Augmentation, ...] = ()
    views: int = 1


def phase_data(
    phase: Phase,
    loaded: LoadedRecipe,
    data: LoadedData,
    graph: Graph,
    model: keras.Model,
    folder: Path,
    listener: Listener,
    interrupted: Callable[[], bool] = lambda: False,
) -> PhaseData:
    """Return what a phase is trained on.

    A phase that freezes layers gets features wherever these are the same in every epoch: computed once, kept below the
    runs folder, and used by later phases and runs too. They belong to the weights that the frozen layers have now. The
    result is that of the whole network, to rounding: the order of the examples and the batches are the same. All else
    is trained plainly, with a note that says why.

    Args:
        phase: The phase.
        loaded: The recipe.
        data: Its examples.
        graph: The graph of the network.
        model: What the task trains; which layers are trained in this phase is set by the caller.
        folder: The runs folder.
        listener: Hears what was decided.
        interrupted: Tells whether the user wants to stop; asked while features are computed.

    Raises:
        KeyboardInterrupt: The user wants to stop.
    """
    training, validation = data.splits["training"], data.splits["validation"]
    plain = PhaseData(model, graph, training, validation, loaded.recipe.data.augmentation)
    if phase.freeze == "none":
        return plain
    cut = best_cut(graph, frozen_nodes(graph, phase)) if _cuttable(loaded.recipe.task, graph, model) else None
    if cut is None:
        return _plainly(plain, phase, "too little of it is frozen, or the task trains more than its network", listener)
    plain = replace(plain, model=with_calm_first_part(cut, model))
    if plain.augmentation and phase.cached_views is None:
        mixes = any(change.mixes_labels for change in plain.augmentation)
        other = "" if mixes else " (`cached_views: 4` keeps 4 copies of each instead)"
        why = f"the augmentation changes each example in each epoch{other}"
        return _plainly(plain, phase, why, listener)
    seed, views = loaded.recipe.seed, phase.cached_views or 1
    wanted = Wanted(training, plain.augmentation, views, seed if plain.augmentation else 0), Wanted(validation)
    if (size := size_of(cut, wanted)) > cache.BUDGET:
        why = f"its features would take {_bytes(size)}, and {_bytes(cache.BUDGET)} are allowed"
        return _plainly(plain, phase, why, listener)
    try:
        found = features_of(cut, model, wanted, folder, listener, interrupted)
    except ProblemError as error:
        return _plainly(plain, phase, f"its features cannot be kept ({error.problems[0].message})", listener)
    _tell(phase, wanted, found, listener)
    return _on_features(cut, plain, model, found, views)


def _cuttable(task: Task, graph: Graph, model: keras.Model) -> bool:
    """Whether examples go through the network itself, once."""
    return len(graph.inputs) == 1 and is_network(model, graph) and type(task).answer is Task.answer


def _plainly(plain: PhaseData, phase: Phase, why: str, listener: Listener) -> PhaseData:
    listener.note(f"Phase '{phase.name}' runs the whole network in every epoch: {why}")
    return plain


def _on_features(cut: Cut, plain: PhaseData, model: keras.Model, found: Features, views: int) -> PhaseData:
    (tensor,) = cut.after.inputs
    training, validation = (
        replace(split, inputs={tensor: array})
        for split, array in zip((plain.training, plain.validation), found.arrays, strict=True)
    )
    return PhaseData(second_part(cut, model), cut.after, training, validation, views=views)


def _tell(phase: Phase, wanted: tuple[Wanted, Wanted], found: Features, listener: Listener) -> None:
    if found.removed:
        listener.note(f"Removed features that were not used for longest from {found.folder}: {found.removed} files")
    training, validation = wanted
    copies = f", each in {training.views} changed copies," if training.augmentation else ""
    source = "read from" if found.seconds is None else f"computed in {found.seconds:.1f} s, kept in"
    size = _bytes(sum(array.nbytes for array in found.arrays))
    listener.note(
        f"Phase '{phase.name}' trains on features of its frozen layers: {len(training.split)} training{copies} and "
        f"{len(validation.split)} validation examples, {size}, {source} {found.folder}"
    )


def _bytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
