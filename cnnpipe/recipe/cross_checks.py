"""Contradictions between sections of a recipe: what the schema of one section cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from cnnpipe.datasets import ROOM as DATASETS
from cnnpipe.datasets import Dataset
from cnnpipe.errors import Path, Problem, dotted
from cnnpipe.recipe.exports import LADDER, export_name, unfit
from cnnpipe.recipe.schema import Export, Recipe, Training
from cnnpipe.spec import Spec, nearest
from cnnpipe.task import Task
from cnnpipe.yaml_nodes import Node


def cross_problems(recipe: Recipe, root: Node) -> Iterator[Problem]:
    """Return what is wrong, or surely unwanted, between sections."""
    yield from _needs(recipe)
    yield from _augmentation(recipe)
    yield from _splits(recipe)
    yield from _cached_views(recipe)
    yield from _model(recipe)
    yield from _training(recipe, root)
    yield from _names(root.find(("model", "blocks")), "model.blocks")
    yield from _names(root.find(("model", "backbone", "blocks")), "model.backbone.blocks")
    yield from _ignored(recipe)
    for number, export in enumerate(recipe.export):
        yield from _export(export, f"export.{number}", recipe.task)
    yield from _clients(recipe)
    yield from _repeated_exports(recipe)


def _ignored(value: Any, path: Path = ()) -> Iterator[Problem]:
    """Keys of any spec that have no effect."""
    if isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _ignored(item, (*path, number))
    if not isinstance(value, Spec):
        return
    for key, why in value.ignored_keys().items():
        if getattr(value, key) != type(value).model_fields[key].get_default(call_default_factory=True):
            yield Problem(f"'{key}' has no effect {why}", path=dotted((*path, key)), hint="Delete it.")
    for key in type(value).model_fields:
        yield from _ignored(getattr(value, key), (*path, key))


def _needs(recipe: Recipe) -> Iterator[Problem]:
    source = recipe.data.source
    missing = sorted(recipe.task.needs - source.gives())
    if missing:
        given = source.more_keys_with if recipe.task.needs <= source.keys else ""
        words = " and ".join(f"'{key}'" for key in missing)
        yield Problem(
            f"the source '{source.type}' gives no {words}, and '{recipe.task.type}' needs them",
            path="data.source",
            hint=f"Set {given} there." if given else _sources(recipe.task.needs),
        )
    preprocessing, keys = recipe.data.preprocessing, source.gives()
    if preprocessing.key not in keys:
        yield Problem(
            f"'{preprocessing.type}' works on '{preprocessing.key}', and the source '{recipe.data.source.type}' gives "
            f"only {', '.join(sorted(keys))}",
            path="data.preprocessing",
            hint="Choose another kind of preprocessing.",
        )


def _sources(needs: frozenset[str]) -> str:
    kinds = ((name, cast(type[Dataset], DATASETS.load(name))) for name in DATASETS.names())
    able = [name for name, kind in kinds if needs <= kind.keys]
    return f"Sources that do: {', '.join(able)}." if able else "Choose another task."


def _augmentation(recipe: Recipe) -> Iterator[Problem]:
    """Augmentations that cannot change such images, or not what the task needs beside them."""
    shape, keys = recipe.data.preprocessing.input_shape(), recipe.task.augmented.values()
    beside = frozenset(key.partition(".")[0] for key in keys)
    for number, augmentation in enumerate(recipe.data.augmentation):
        why = augmentation.unfit(shape, beside)
        if augmentation.mixes_labels and "labels" not in keys:
            why = f"it mixes labels, and '{recipe.task.type}' has none that can be mixed"
        if why:
            message = f"'{augmentation.type}' cannot be used: {why}"
            yield Problem(message, path=f"data.augmentation.{number}", hint="Delete it, or choose another one.")


def _splits(recipe: Recipe) -> Iterator[Problem]:
    split = recipe.data.split
    if split.validation + split.test >= 1:
        total = split.validation + split.test
        yield Problem(
            f"validation {split.validation:g} and test {split.test:g} add up to {total:g}, which leaves nothing "
            "for training",
            path="data.split",
            hint="Make them smaller.",
        )
    if split.group_by is not None:
        try:
            re.compile(split.group_by)
        except re.error as error:
            yield Problem(f"{split.group_by!r} is no regular expression ({error})", path="data.split.group_by")


def _model(recipe: Recipe) -> Iterator[Problem]:
    blocks, backbone = recipe.model.blocks, recipe.model.backbone
    if backbone is not None and (missing := backbone.unpublished()):
        yield Problem(missing, path="model.backbone.weights", hint="Write 'weights: none', or change what it names.")
    if blocks is None and backbone is None:
        yield Problem("needs the key 'blocks' or 'backbone'", path="model")


def _training(recipe: Recipe, root: Node) -> Iterator[Problem]:
    training = recipe.training
    if training.epochs is not None and training.phases:
        yield Problem("each phase says its own epochs", path="training.epochs", hint="Delete this key.")
    stopping, epochs = training.early_stopping, max(phase.epochs for phase in training.parts)
    if stopping is not None and stopping.patience >= epochs:
        what = "phases of at most" if training.phases else "a training of"
        yield Problem(
            f"patience {stopping.patience} can never end {what} {epochs} epochs",
            severity="warning",
            path="training.early_stopping",
            hint="Make it smaller than 'epochs', or leave it out.",
        )
    yield from _phases(recipe, root)
    yield from _schedules(training)
    yield from _distribution(training)


def _phases(recipe: Recipe, root: Node) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, phase in enumerate(recipe.training.phases):
        path = f"training.phases.{number}"
        if phase.name in seen:
            message = f"phase {seen[phase.name]} is also called '{phase.name}'"
            yield Problem(message, path=f"{path}.name", hint="Give each phase a name of its own.")
        seen.setdefault(phase.name, number)
        if phase.freeze != "none" and recipe.model.backbone is None:
            yield Problem(
                f"there is no backbone that a phase could freeze (received '{phase.freeze}')",
                path=f"{path}.freeze",
                hint="Write 'none', or leave the key out.",
            )
        if recipe.model.backbone is None and phase.batch_normalization == "training":
            hint = "Delete it: the BatchNorm of blocks always learns."
            yield Problem("there is no backbone for 'batch_normalization'", None, f"{path}.batch_normalization", hint)
        said = phase.optimizer and root.find(("training", "phases", number, "optimizer", "learning_rate"))
        if phase.optimizer and said and phase.learning_rate not in (None, phase.optimizer.learning_rate):
            yield Problem(
                f"the phase says {phase.learning_rate:g}, and its optimizer {phase.optimizer.learning_rate:g}",
                path=f"{path}.learning_rate",
                hint="Delete one of the two.",
            )


def _schedules(training: Training) -> Iterator[Problem]:
    for number, phase in enumerate(training.parts):
        schedule, rate = training.schedule_of(phase), training.optimizer_of(phase).learning_rate
        path = f"training.phases.{number}.schedule" if phase.schedule else "training.schedule"
        for message in schedule.contradictions(rate) if schedule else ():
            yield Problem(message, path=path, hint="Change one of the two.")


def _distribution(training: Training) -> Iterator[Problem]:
    """What cannot be divided, or cannot be had when it is."""
    distribution, size = training.distribution, training.batch_size
    if distribution is None:
        return
    parts = distribution.parts or 1
    if size % parts:
        yield Problem(
            f"'{distribution.type}' divides a batch into {parts} equal parts, and {size} examples cannot be divided so",
            path="training.batch_size",
            hint=f"Write {max(1, round(size / parts)) * parts}.",
        )
    said = [("training.optimizer", training.optimizer)]
    said += [(f"training.phases.{n}.optimizer", p.optimizer) for n, p in enumerate(training.phases) if p.optimizer]
    for path, optimizer in said:
        for key, why in distribution.refused.items():
            if getattr(optimizer, key) is not None:
                message = f"'{key}' cannot be had with the distribution '{distribution.type}': {why}"
                yield Problem(message, path=f"{path}.{key}", hint="Delete it, or write 'multi_worker'.")


def _cached_views(recipe: Recipe) -> Iterator[Problem]:
    """Views are changed copies of single examples."""
    for number, phase in enumerate(recipe.training.phases):
        path = f"training.phases.{number}.cached_views"
        if phase.cached_views is None or phase.freeze == "none":
            continue
        if not recipe.data.augmentation:
            why = "because there is no augmentation: features of unchanged examples are kept anyway"
            yield Problem(f"'cached_views' has no effect {why}", path=path, hint="Delete it.")
        for position, augmentation in enumerate(recipe.data.augmentation):
            if augmentation.mixes_labels:
                yield Problem(
                    f"'{augmentation.type}' mixes examples with each other, and '{path}' keeps each example by itself",
                    path=f"data.augmentation.{position}",
                    hint="Delete one of the two.",
                )


def _names(blocks: Node | None, where: str) -> Iterator[Problem]:
    """Names of blocks, by which paths address them, must not be ambiguous within one list, on any level."""
    seen: dict[str, int] = {}
    for number, block in enumerate(blocks.value if blocks and isinstance(blocks.value, tuple) else ()):
        yield from _names(block.child("blocks"), f"{where}.{number}.blocks")
        said = block.child("name")
        if said is None or not isinstance(said.value, str):
            continue
        path = f"{where}.{number}.name"
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", said.value):
            yield Problem(
                f"a block's name begins with a letter and has only letters, digits, '_' and '-' "
                f"(received {said.value!r})",
                said.key_place,
                path,
            )
        if said.value in seen:
            yield Problem(
                f"block {seen[said.value]} is also called '{said.value}'",
                said.key_place,
                path,
                "Give each block a name of its own.",
            )
        seen.setdefault(said.value, number)


def _export(export: Export, path: str, task: Task) -> Iterator[Problem]:
    rungs = LADDER if export.quantization == "ladder" else (export.quantization,)
    found = [[replace(p, path=f"{path}.{p.path}") for p in unfit(export, rung)] for rung in rungs]
    if all(found):
        yield from found[0]
    if export.calibration_choice == "balanced" and "labels" not in task.augmented.values():
        message = f"'balanced' needs examples with one label each, and '{task.type}' has none"
        yield Problem(message, path=f"{path}.calibration_choice", hint="Write 'random'.")
    if export.postprocessing is not None:
        yield from (replace(p, path=f"{path}.{p.path}") for p in _postprocessing(export, export.postprocessing, task))


def _postprocessing(export: Export, name: str, task: Task) -> Iterator[Problem]:
    """What a task cannot compute behind its network, and keys of an export that then make no sense."""
    if name not in task.postprocessings:
        guess, known = nearest(name, list(task.postprocessings)), ", ".join(task.postprocessings)
        hint = f"Did you mean '{guess}'?" if guess else f"It can compute {known}." if known else "Delete it."
        yield Problem(f"'{task.type}' can compute no '{name}' behind its network", path="postprocessing", hint=hint)
    if export.output_type is not None:
        message = f"the outputs of '{name}' have types of their own"
        yield Problem(message, path="output_type", hint="Delete this key.")
    if export.quantization_aware is not None:
        message = f"the loss needs what the network gives, and '{name}' leaves it out"
        yield Problem(message, path="quantization_aware", hint="Delete this key, or 'postprocessing'.")


def _clients(recipe: Recipe) -> Iterator[Problem]:
    """A client library that resizes pictures by itself must do as the training did."""
    preprocessing = recipe.data.preprocessing
    for number, export in enumerate(recipe.export):
        theirs, ours = export.target.client_resize, getattr(preprocessing, "resize", None)
        if theirs is not None and ours not in (None, theirs):
            yield Problem(
                f"training resizes pictures by '{ours}', and the client library of '{export.target.type}' "
                f"(export.{number}) by '{theirs}', so that the model would see other pictures there",
                path="data.preprocessing.resize",
                hint=f"Write 'resize: {theirs}', or export to 'generic' and resize in your own program.",
            )
        like, ours = export.target.client_interpolation, getattr(preprocessing, "interpolation", None)
        if like is not None and ours not in (None, like):
            yield Problem(
                f"training resizes pictures as '{ours}' and the client library of '{export.target.type}' "
                f"(export.{number}) as '{like}', so that it may say something else on some of them",
                path="data.preprocessing.interpolation",
                hint=f"Write 'interpolation: {like}'.",
                severity="warning",
            )


def _repeated_exports(recipe: Recipe) -> Iterator[Problem]:
    seen: dict[Any, int] = {}
    for number, export in enumerate(recipe.export):
        key = export_name(export)
        if key in seen:
            yield Problem(
                f"the same target and quantization as 'export.{seen[key]}', so that one file would overwrite the other",
                path=dotted(("export", number)),
                hint="Delete one of the two.",
            )
        seen.setdefault(key, number)
