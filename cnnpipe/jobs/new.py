"""Write a starter recipe for data that lies on this machine."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cnnpipe import files
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.inspection import describe_folder
from cnnpipe.pretrained.locate import models_folder
from cnnpipe.recipe.load import LoadedRecipe, load_recipe, run_name
from cnnpipe.recipe.resolved import inline
from cnnpipe.recipe.schema import Data, Recipe
from cnnpipe.registry import room
from cnnpipe.spec import Spec, field_descriptions, nearest
from cnnpipe.task import Task

WIDTH = 100
FLIP = (
    "    # Only where a mirrored picture still shows its class: not for text, digits, arrows, left and right.",
    "    # - {type: random_flip, mode: horizontal}",
)
"""What stands below the augmentations of a recipe that does not mirror."""


@dataclass(frozen=True)
class NewRecipe:
    """A recipe that was written.

    Args:
        file: The recipe.
        notes: What was found and decided, one sentence each.
    """

    file: Path
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: file, notes."""
        return {"file": str(self.file), "notes": list(self.notes)}


def new(
    task: str,
    data: str | Path,
    output: str | Path | None = None,
    flip: bool = False,
    pretrained: bool = True,
) -> NewRecipe:
    """Look at data and write a commented recipe that trains on it.

    Args:
        task: Type of the task.
        data: A folder with a folder for each class, or a table; for tasks of boxes and masks, what holds those.
        output: The recipe file; by default the data's name with `.yaml`, in the current folder.
        flip: Whether a picture that exchanges left and right still shows its class, so that training may mirror.
        pretrained: Whether to begin with a pretrained backbone where it pays.

    Raises:
        ProblemError: There is no such task, the data is not what it needs, or the file is there already.
    """
    kind = _task(task)
    data = Path(data)
    name = run_name(Path(data.resolve().stem))
    file = Path(output) if output is not None else Path(f"{name}.yaml")
    if file.exists():
        raise ProblemError(Problem(f"{file} is there already", hint="Give another file with --output."))
    found = describe_folder(data, kind.needs)
    source = _relative(found["source"], file)
    starter = kind.starter({**found, "source": source, "flip": flip, "pretrained": pretrained})
    files.write_text(file, _text(name, starter.recipe, file, () if flip else FLIP))
    loaded = load_recipe(file)
    notes = (_summary(found), *found["notes"], *starter.reasons, *_mirroring(loaded), *_weights(loaded))
    return NewRecipe(file, notes)


def _task(name: str) -> type[Task]:
    tasks = room("pipelines")
    if name not in tasks.names():
        meant = nearest(name, tasks.names())
        hint = f"Did you mean '{meant}'?" if meant else f"Tasks are {', '.join(tasks.names())}."
        raise ProblemError(Problem(f"there is no task '{name}'", hint=hint))
    return cast(type[Task], tasks.load(name))


def _mirroring(loaded: LoadedRecipe) -> Iterator[str]:
    """Tell whether training mirrors: where it may not be, it spoils a model in silence."""
    augmentation = loaded.recipe.data.augmentation
    if any(change.mirrors() for change in augmentation):
        yield "Training mirrors pictures: left and right are exchanged in half of them."
    elif augmentation:
        yield "Training does not mirror pictures. Where mirrored ones still show their class, --flip makes more of few."


def _weights(loaded: LoadedRecipe) -> Iterator[str]:
    """Tell where the published weights are that training will start from."""
    backbone, (height, width, *_) = loaded.recipe.model.backbone, loaded.recipe.data.preprocessing.input_shape()
    source = backbone.source((height, width)) if backbone is not None else {}
    if not source:
        return
    folder = models_folder()
    if (folder / source["file"]).exists():
        yield f"The weights {source['file']} are in {folder} already."
    else:
        yield (
            f"The first run will download the weights {source['file']} from {source['url']} to {folder}. Without a "
            "network put the file there, or write the recipe again with --from-scratch."
        )


def _relative(source: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Return a source whose paths, wherever they stand in it, are as the recipe should say them."""
    return {
        key: _relative(value, file)
        if isinstance(value, Mapping)
        else _beside(Path(value), file)
        if isinstance(value, str) and Path(value).is_absolute()
        else value
        for key, value in source.items()
    }


def _beside(path: Path, file: Path) -> str:
    """Return `path` as the recipe should say it: relative to the recipe's folder where that is possible."""
    try:
        return Path(os.path.relpath(path, file.absolute().parent)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _summary(found: Mapping[str, Any]) -> str:
    names = found["class_names"]
    classes = f" of {len(names)} classes ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})" if names else ""
    height, width = found["image_size"]
    return f"found {found['examples']:,} {found['color_mode']} images{classes}, {height}x{width} in the median"


def _text(name: str, recipe: Mapping[str, Any], file: Path, augmentations: Sequence[str]) -> str:
    """Return the recipe as text; `augmentations` are comments below those of the recipe."""
    shown = file.name if file.is_absolute() else file.as_posix()
    lines = [f"# cnnpipe run {shlex.quote(shown)}", f"name: {inline(name)}"]
    for section, value in recipe.items():
        lines += ["", f"# {_meaning(Recipe, section)}", *_entry(section, value, 0, Data if section == "data" else None)]
        if isinstance(value, Mapping) and value.get("augmentation"):
            last = max(number for number, line in enumerate(lines) if line.startswith("    - "))
            lines[last + 1 : last + 1] = augmentations
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: int, spec: type[Spec] | None) -> Iterator[str]:
    """Write a key on one line where it fits, with what it means; else its parts below it."""
    pad = " " * indent
    line = f"{pad}{key}: {inline(value)}"
    if isinstance(value, Mapping) and (spec or len(line) > WIDTH):
        yield f"{pad}{key}:"
        for name, inner in value.items():
            if spec:
                yield f"{pad}  # {_meaning(spec, name)}"
            yield from _entry(name, inner, indent + 2, None)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield f"{pad}{key}:"
        yield from (f"{pad}  - {inline(item)}" for item in value)
    else:
        yield line


def _meaning(spec: type[Spec], name: str) -> str:
    return field_descriptions(spec)[name]
