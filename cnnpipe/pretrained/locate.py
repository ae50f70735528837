"""Where the weights are that a backbone starts from. Needs no TensorFlow, and is done before any data is read."""

from __future__ import annotations

import os
import threading
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cnnpipe.backbones import Backbone, FileWeights, RunWeights
from cnnpipe.backbones._application import Application, OfficialFile
from cnnpipe.errors import Place, Problem, ProblemError, dotted
from cnnpipe.events import Listener
from cnnpipe.graph import Graph, GraphBuilder, Shape
from cnnpipe.graph.matching import Difference, matched
from cnnpipe.pretrained.shapes import check_shapes
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.runs import MODEL, RESOLVED, Run, open_run

WEIGHTS = ("model", "backbone", "weights")
"""Recipe path at which every problem with them stands."""
ANSWER_SECONDS = 5.0
"""How long the host of a download may take to answer."""
MAGIC = b"\x89HDF\r\n\x1a\n"
"""How every HDF5 file begins."""


@dataclass(frozen=True)
class Located:
    """Weights that were found, or that can be downloaded.

    Args:
        backbone: The backbone that they are for.
        source: What the recipe says.
        file: Their file; the model of an earlier run. A download will write it.
        url: Where it is to be downloaded from; empty when it is there.
        run: The earlier run.
        licence: Licence of the weights; None when it is not known.
        place: Where the recipe asks for them.
    """

    backbone: Backbone
    source: Literal["imagenet", "file", "run"]
    file: Path
    url: str = ""
    run: Run | None = None
    licence: str | None = None
    place: Place | None = None


def locate_weights(loaded: LoadedRecipe, runs_folder: str | Path, listener: Listener | None = None) -> Located | None:
    """Find the weights that a recipe's backbone starts from.

    Args:
        loaded: The recipe.
        runs_folder: Where names of earlier runs are looked up.
        listener: Hears of a download that is to come.

    Returns:
        What was found; None when training starts from random weights.

    Raises:
        ProblemError: They are not there, are no weights, or are of another backbone; stands at the recipe's line.
    """
    backbone = loaded.recipe.model.backbone
    if backbone is None or not backbone.pretrained:
        return None
    place = loaded.place_of(WEIGHTS)
    try:
        return replace(_located(backbone, loaded, runs_folder, listener or Listener()), place=place)
    except ProblemError as error:
        raise ProblemError(problem.at(place, dotted(WEIGHTS)) for problem in error.problems) from error


def _located(backbone: Backbone, loaded: LoadedRecipe, runs_folder: str | Path, listener: Listener) -> Located:
    if isinstance(backbone.weights, RunWeights):
        return _of_run(backbone, backbone.weights.run, runs_folder, loaded.recipe.data.preprocessing.input_shape())
    if not isinstance(backbone, Application):
        hint = "Write 'none' or '{run: NAME}'."
        raise ProblemError(Problem(f"'{backbone.type}' is no network of Keras that has weight files", hint=hint))
    if isinstance(backbone.weights, FileWeights):
        file = _checked(Path(backbone.weights.file), "Give another file.")
        check_shapes(file, backbone, loaded.recipe.data.preprocessing.input_shape())
        return Located(backbone, "file", file)
    return _official(backbone, loaded, listener)


def pinned(loaded: LoadedRecipe, located: Located | None, runs_folder: str | Path) -> LoadedRecipe:
    """Return the recipe with the number of the run that its weights are from: another run of that name changes nothing.

    Args:
        loaded: The recipe.
        located: What `locate_weights` found.
        runs_folder: Where names of earlier runs are looked up.
    """
    recipe, run = loaded.recipe, located.run if located is not None else None
    backbone = recipe.model.backbone
    if run is None or backbone is None:
        return loaded
    below = (Path(runs_folder) / run.reference).resolve() == run.folder.resolve()
    weights = RunWeights(run=run.reference if below else str(run.folder.resolve()))
    model = recipe.model.model_copy(update={"backbone": backbone.model_copy(update={"weights": weights})})
    return replace(loaded, recipe=recipe.model_copy(update={"model": model}))


def models_folder() -> Path:
    """Return the folder in which Keras keeps the weights that it downloads."""
    home = os.path.expanduser("~")
    base = os.environ.get("KERAS_HOME") or os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")  # noqa: S108
    folder = Path(os.path.expanduser(base))
    if folder.is_dir() and not os.access(folder, os.W_OK):
        folder = Path("/tmp/.keras")  # noqa: S108 (what Keras does)
    return folder / "models"


def _official(backbone: Application, loaded: LoadedRecipe, listener: Listener) -> Located:
    """Find the published weights in Keras's cache, or learn whether they can be downloaded."""
    height, width, *_ = loaded.recipe.data.preprocessing.input_shape()
    official = backbone.official_file((height, width))
    if official is None:
        message = f"there are no published weights for '{backbone.type}' with these options"
        raise ProblemError(
            Problem(message, hint="Choose other options, or write 'none', '{file: PATH}' or '{run: NAME}'.")
        )
    file = models_folder() / official.name
    if file.exists():
        _checked(file, "Delete it, and it will be downloaded again.")
        return Located(backbone, "imagenet", file, licence=backbone.licence)
    if obstacle := _unreachable(official.url):
        raise ProblemError(_missing(official, obstacle))
    listener.note(f"The weights {official.name} will be downloaded from {official.url} to {file.parent}")
    return Located(backbone, "imagenet", file, official.url, licence=backbone.licence)


def _missing(official: OfficialFile, obstacle: str) -> Problem:
    return Problem(
        f"the published weights are not in Keras's cache, and cannot be downloaded from {official.url} ({obstacle})",
        hint=f"Put the file {official.name} into {models_folder()}, or write '{{file: PATH}}' for one elsewhere, or "
        "'none' to start from random weights.",
    )


def _unreachable(url: str) -> str:
    """Return why a file cannot be downloaded, empty when it can. Asks for its header only, and never waits long.

    The question runs in a thread of its own, as looking up a name has no time limit.
    """
    answers: list[str] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 (an address of ours)
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
                answers.append("")
        except (OSError, ValueError) as error:  # HTTP errors, refused connections and unknown hosts are OSErrors
            answers.append(str(getattr(error, "reason", None) or error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return answers[0] if answers else f"no answer within {ANSWER_SECONDS:g} s"


def _checked(file: Path, hint: str) -> Path:
    """Return a weights file that begins as such a file does and is whole. Raises `ProblemError` when it is not."""
    try:
        with file.open("rb") as stream:
            start = stream.read(len(MAGIC))
    except OSError as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise ProblemError(Problem(f"the weights file {file} {what}", hint=hint)) from error
    if start != MAGIC:
        form = "a Keras model file" if start.startswith(b"PK") else "no HDF5 file"
        raise ProblemError(Problem(
            f"{file} is {form}, and weights are HDF5 files as Keras writes them: '.weights.h5' or '.h5'", hint=hint
        ))  # fmt: skip
    import h5py

    try:
        h5py.File(file).close()
    except OSError as error:
        raise ProblemError(Problem(f"the weights file {file} is damaged ({error})", hint=hint)) from error
    return file


def _of_run(backbone: Backbone, reference: str, runs_folder: str | Path, shape: Shape) -> Located:
    """Find the model of an earlier run with the same backbone."""
    run = open_run(reference, runs_folder)
    if not (run.folder / MODEL).is_file():
        hint = f"Go on with it: cnnpipe train --resume {run.folder}"
        raise ProblemError(Problem(f"{run.folder} has no trained model ({run.record().get('state')})", hint=hint))
    earlier = load_recipe(run.folder / RESOLVED).recipe.model.backbone
    if differences := _differences(earlier, backbone, shape):
        message = f"{run.folder} was trained with another network: {differences}"
        raise ProblemError(Problem(message, hint="Choose another run, or the options of that one."))
    known = run.record().get("weights")
    licence = known.get("licence") if isinstance(known, dict) else None
    return Located(backbone, "run", run.folder / MODEL, run=run, licence=licence)


def _differences(earlier: Backbone | None, backbone: Backbone, shape: Shape) -> str:
    """Return in which options two backbones differ, empty when they are one network, however it is written."""
    if earlier is None:
        return f"its own blocks, and here it is the backbone '{backbone.type}'"
    if earlier.type != backbone.type:
        return f"its backbone is '{earlier.type}', and here it is '{backbone.type}'"
    there, here = (spec.model_dump(exclude={"weights"}) for spec in (earlier, backbone))
    differing = [key for key in here if there[key] != here[key]]
    if not differing or not (found := _difference(earlier, backbone, shape)):
        return ""
    plain = [key for key in differing if key != "blocks"]
    told = [f"its '{key}' is {there[key]}, and here it is {here[key]}" for key in plain]
    return "; ".join(told or [f"its blocks are others ({found})"])


def _difference(earlier: Backbone, backbone: Backbone, shape: Shape) -> str:
    """Return where the networks of two backbones differ, or stand in another order; empty when they are the same."""
    try:
        there, here = (_graph(spec, shape) for spec in (earlier, backbone))
        pairs = matched(here, there, here.outputs["features"], there.outputs["features"])
    except Difference as difference:
        return f"{here.nodes[difference.ours].block or 'its end'}: {difference.message}"
    except ProblemError as error:
        return error.problems[0].message
    order = [pairs[position] for position in sorted(pairs)]
    return "" if order == sorted(order) else "they stand in another order"


def _graph(backbone: Backbone, shape: Shape) -> Graph:
    builder = GraphBuilder()
    untrained = backbone.model_copy(update={"weights": "none"})
    return builder.build({"features": untrained.expand(builder, builder.input("images", shape))})
