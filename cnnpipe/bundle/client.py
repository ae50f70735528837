"""What an export owes to its client library: an input that it can fill, and metadata that it reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.build import build_model, load_weights, save_weights, set_weights
from cnnpipe.bundle.subject import Subject, signature_of
from cnnpipe.clients import Contents, client_of, contents_of
from cnnpipe.data import SplitData
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.evaluation import caller
from cnnpipe.graph import Graph
from cnnpipe.graph.color import CHANNELS, LUMA, TO_GRAY, gray_layer, takes_gray, with_color_input
from cnnpipe.litert_metadata import Metadata
from cnnpipe.manifest import Manifest
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.task import Facts, Signature, Task

if TYPE_CHECKING:
    import numpy as np

REDUCES = "the file takes colour and reduces it to gray inside: 0.299 R + 0.587 G + 0.114 B"
SAME = 1e-6
"""Largest relative difference of two numbers in metadata, which hold 32 bits."""


def client_notes(graph: Graph) -> tuple[str, ...]:
    """Return what a network that is exported does for its client, one sentence each."""
    return (REDUCES,) if any(node.type is TO_GRAY for node in graph.nodes) else ()


def takes_colour_for_gray(export: PlannedExport, subject: Subject) -> bool:
    """Return whether the client of a target feeds colour to a network of gray pictures."""
    return export.device.client_channels == CHANNELS and takes_gray(subject.graph)


def client_subject(export: PlannedExport, subject: Subject, folder: Path) -> Subject:
    """Return a network as the client of an export meets it: with an input that it can fill, and what follows behind.

    Args:
        export: The export.
        subject: The trained network.
        folder: Where further weights may be written.
    """
    if takes_colour_for_gray(export, subject):
        subject = _taking_colour(subject, folder)
    return _postprocessed(export, subject) if export.postprocessing else subject


def _postprocessed(export: PlannedExport, subject: Subject) -> Subject:
    """Return a network with what the file computes behind it, its Keras model too."""
    graph = export.finished(subject.graph)
    made = replace(subject, graph=graph, postprocessing=export.postprocessing)
    model = build_model(graph)
    set_weights(model, load_weights(subject.weights))
    return replace(made, call=caller(model, made.signature))


def _taking_colour(subject: Subject, folder: Path) -> Subject:
    """Return a network of gray pictures as one that takes colour.

    Its examples are read again in colour, and its Keras model is the same one behind the same weighted sum.

    Args:
        subject: The trained network.
        folder: Where its weights may be written.
    """
    preprocessing = subject.facts.preprocessing.for_channels(CHANNELS)
    if preprocessing is None:
        raise ProblemError(Problem("the client of the target feeds colour, and the preprocessing cannot give any"))
    layer = gray_layer(subject.graph)
    weights = folder / "weights_of_colour.npz"
    save_weights(weights, {**load_weights(subject.weights), layer: [_kernel()]})
    return replace(
        subject,
        facts=replace(subject.facts, preprocessing=preprocessing),
        graph=with_color_input(subject.graph),
        weights=weights,
        splits={name: _in_colour(split, preprocessing, name == "training") for name, split in subject.splits.items()},
        call=lambda inputs: subject.call({tensor: _gray(values) for tensor, values in inputs.items()}),
    )


def planned_metadata(
    export: PlannedExport, subject: Subject, normalization: tuple[float, float] | None
) -> Metadata | None:
    """Return the metadata of an export, None when its target's client reads none.

    Raises:
        ProblemError: The client library cannot take such a file, at the export's recipe path.
    """
    if not export.device.metadata:
        return None
    name = str(subject.origin.get("recipe", subject.signature.client))
    return _metadata(export, subject.signature, subject.graph, subject.facts.class_names, normalization, name)


def refusals(exports: Sequence[PlannedExport], task: Task, graph: Graph, facts: Facts) -> Iterator[Problem]:
    """Yield why client libraries cannot take what would be exported: known before anything is trained.

    Args:
        exports: What is asked for.
        task: The task.
        graph: The network that is exported.
        facts: What is known of the data.
    """
    for export in (export for export in exports if export.device.metadata):
        try:
            signature = signature_of(task, facts, export.postprocessing)
            _metadata(export, signature, export.finished(graph), facts.class_names, None, "")
        except ProblemError as error:
            yield from error.problems


def _metadata(
    export: PlannedExport,
    signature: Signature,
    graph: Graph,
    class_names: tuple[str, ...] | None,
    normalization: tuple[float, float] | None,
    name: str,
) -> Metadata:
    contents = Contents(
        name=name,
        inputs=list(graph.inputs),
        normalization=normalization,
        outputs=signature.outputs,
        shapes={output: tuple(graph.nodes[position].shape) for output, position in graph.outputs.items()},
        class_names=class_names,
        decoding=signature.decoding,
    )
    try:
        return client_of(signature.client).metadata(contents)
    except ProblemError as error:
        raise ProblemError(replace(problem, path=export.path) for problem in error.problems) from None


def metadata_problems(manifest: Manifest, found: Metadata | None) -> Iterator[Problem]:
    """Yield where the metadata inside a file are not what bundle.json asks for."""
    if found is None:
        yield Problem(f"{manifest.file} holds no metadata, which its client library reads")
        return
    for entry in manifest.inputs:
        if entry.dtype != "float32" and (round(entry.multiply, 3), entry.add) != (1, 0):
            yield Problem(
                f"'{entry.name}' of {manifest.file} asks for other values than pixels, which its client feeds"
            )
    wanted = client_of(manifest.client).metadata(contents_of(manifest))
    for kind in ("inputs", "outputs"):
        pairs = getattr(wanted, kind), getattr(found, kind)
        if len(pairs[0]) != len(pairs[1]):
            yield Problem(f"the metadata of {manifest.file} know {len(pairs[1])} {kind} instead of {len(pairs[0])}")
            continue
        for should, here in zip(*pairs, strict=True):
            yield from _differences(manifest.file, vars(should), vars(here))
    if dict(wanted.custom) != dict(found.custom):
        names = " and ".join(wanted.custom) or "nothing"
        yield Problem(f"the metadata of {manifest.file} hold something else than {names}, as bundle.json asks for")


def _differences(file: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in wanted.items():
        here = found[key]
        numbers = isinstance(value, tuple) and value and isinstance(value[0], float) and len(value) == len(here)
        if here != value and not (numbers and all(map(_near, value, here))):
            yield Problem(f"the metadata of {file} state {key} of '{wanted['name']}' as {here!r} instead of {value!r}")


def _near(wanted: float, found: float) -> bool:
    return math.isclose(wanted, found, rel_tol=SAME, abs_tol=SAME)


def _kernel() -> np.ndarray:
    import numpy as np

    return np.array(LUMA, np.float32).reshape(1, 1, CHANNELS, 1)


def _gray(values: np.ndarray) -> np.ndarray:
    import numpy as np

    return values.astype(np.float32) @ np.array(LUMA, np.float32)[:, None]


def _in_colour(split: SplitData, preprocessing: Preprocessing, training: bool) -> SplitData:
    """Return a split with pictures in colour; where they cannot be read again, and for training, gray ones.

    Of the training split only some are looked at: those in files are read again then.
    """
    import numpy as np

    if split.readers and not training:
        pictures = [preprocessing.apply(reader()[preprocessing.key]) for reader in split.readers]
        return replace(split, inputs={name: np.stack(pictures) for name in split.inputs})
    views = {name: np.broadcast_to(v, (*v.shape[:-1], CHANNELS)) for name, v in split.inputs.items()}
    return replace(split, inputs=views)
