"""Writes a bundle: a folder that holds the file and all that is needed to run and to check it, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe import __version__, files
from cnnpipe.bundle.golden import Golden
from cnnpipe.bundle.manifest import (
    LABELS,
    MANIFEST,
    PARITY,
    README,
    VERSION,
    Calibration,
    FileEntry,
    GoldenSample,
    InputEntry,
    Manifest,
    Normalization,
    OutputEntry,
    ParityFile,
    PreprocessingEntry,
    to_json,
)
from cnnpipe.bundle.normalization import carried_normalization, stated_normalization
from cnnpipe.bundle.parity import OutputParity
from cnnpipe.bundle.readme import readme
from cnnpipe.bundle.runtime import Runnable
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import CONSTANT_FRAMES
from cnnpipe.errors import Problem
from cnnpipe.exporters import CALIBRATED
from cnnpipe.recipe.exports import PlannedExport

if TYPE_CHECKING:
    import numpy as np

    from cnnpipe.task import Arrays

STAGING, REASONS = ".staging-", "rejected.json"


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target`; after the block it becomes `target` in one step."""
    staging = target.with_name(f"{STAGING}{os.getpid()}-{target.name}")
    old = target.with_name(f"{STAGING}{os.getpid()}-old-{target.name}")
    try:
        for leftover in target.parent.glob(f"{STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
        if target.exists():
            os.replace(target, old)
        os.replace(staging, target)
    except OSError as error:
        raise files.writing_failed(target, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_bundle(
    folder: Path,
    export: PlannedExport,
    subject: Subject,
    runnable: Runnable,
    golden: Golden,
    parity: Mapping[str, Sequence[OutputParity]],
    scores: Mapping[str, Any],
    latency_ms: float,
) -> None:
    """Write all files of a bundle into an empty folder; the exported file itself is moved there.

    Args:
        folder: An empty folder.
        export: What was asked for.
        subject: What was exported.
        runnable: The written file.
        golden: The golden samples.
        parity: How near the file is to Keras, by split.
        scores: What was measured, by split.
        latency_ms: Time for one example on this host.
    """
    shutil.copyfile(runnable.file, folder / export.exporter.file_name)
    names = subject.facts.class_names
    if names is not None:
        (folder / LABELS).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    for tensors, kind in ((golden.inputs, "input"), (golden.outputs, "output")):
        for name, values in tensors.items():
            (folder / _sample_file(kind, name, tensors)).write_bytes(_npy(values))
    originals = _write_originals(folder, golden)
    (folder / PARITY).write_text(to_json(_parity(golden, originals, parity)), encoding="utf-8")
    manifest = _manifest(export, subject, runnable, golden, scores, latency_ms)
    (folder / README).write_text(readme(manifest), encoding="utf-8")
    (folder / MANIFEST).write_text(to_json(seal(folder, manifest)), encoding="utf-8")


def write_rejected(folder: Path, file: Path, problems: Sequence[Problem], lost: Sequence[Any]) -> None:
    """Write a file that broke a promise, with the reasons, so that it can be looked at. It is no bundle.

    Args:
        folder: An empty folder.
        file: The exported file.
        problems: Which promises it broke.
        lost: The examples that were lost, as `export.LostExample`.
    """
    shutil.copyfile(file, folder / file.name)
    content = {"problems": [problem.message for problem in problems], "lost": [asdict(example) for example in lost]}
    (folder / REASONS).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Return the manifest with size and sha256 of every other file of the folder."""
    found = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST)
    entries = {file.relative_to(folder).as_posix(): _entry(file) for file in found}
    return manifest.model_copy(update={"files": entries})


def _entry(file: Path) -> FileEntry:
    content = file.read_bytes()
    return FileEntry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _sample_file(kind: str, tensor: str, tensors: Arrays) -> str:
    return f"sample_{kind}.npy" if len(tensors) == 1 else f"sample_{kind}_{tensor}.npy"


def _npy(values: np.ndarray) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(values), allow_pickle=False)
    return stream.getvalue()


def _write_originals(folder: Path, golden: Golden) -> list[str | None]:
    names: list[str | None] = []
    for number, content in enumerate(golden.originals):
        name = None if content is None else f"samples/{number:02d}.png"
        if name is not None and content is not None:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        names.append(name)
    return names


def _parity(
    golden: Golden, originals: Sequence[str | None], parity: Mapping[str, Sequence[OutputParity]]
) -> ParityFile:
    samples = [
        GoldenSample(
            name=name,
            original=originals[row],
            prediction=dict(golden.predictions[row]),
            reference={output: values[row].tolist() for output, values in golden.reference.items()},
        )
        for row, name in enumerate(golden.names)
    ]
    outputs = {split: tuple(asdict(one) for one in found) for split, found in parity.items()}
    passed = all(one.passed for found in parity.values() for one in found)
    return ParityFile(passed=passed, outputs=outputs, samples=tuple(samples))


def _manifest(
    export: PlannedExport,
    subject: Subject,
    runnable: Runnable,
    golden: Golden,
    scores: Mapping[str, Any],
    latency_ms: float,
) -> Manifest:
    facts, preprocessing = runnable.facts, subject.facts.preprocessing
    return Manifest(
        bundle=VERSION,
        cnnpipe=__version__,
        origin=dict(subject.origin),
        target=export.target,
        format=export.exporter.model_dump(mode="json"),
        quantization=export.quantization,
        file=export.exporter.file_name,
        client=subject.signature.client,
        task=subject.task.model_dump(mode="json"),
        class_names=subject.facts.class_names,
        calibration=_calibration(export, subject),
        inputs=tuple(_inputs(export, subject, runnable, golden)),
        outputs=tuple(
            OutputEntry(
                **_tensor(tensor),
                meaning=subject.signature.outputs[tensor.name],
                sample=_sample_file("output", tensor.name, golden.outputs),
            )
            for tensor in facts.outputs
        ),
        preprocessing=PreprocessingEntry(spec=preprocessing.model_dump(mode="json"), steps=preprocessing.describe()),
        operators=facts.operators,
        float_operators=facts.float_operators,
        tensors=facts.tensors,
        notes=facts.notes,
        max_drop=export.max_drop,
        host_latency_ms=round(latency_ms, 4),
        scores=dict(scores),
        files={},
    )


def _calibration(export: PlannedExport, subject: Subject) -> Calibration | None:
    if export.quantization not in CALIBRATED:
        return None
    training = subject.splits["training"]
    pixels = all(values.dtype == "uint8" for values in training.inputs.values())
    examples = min(export.calibration_examples, len(training))
    return Calibration(split="training", examples=examples, constant_frames=CONSTANT_FRAMES if pixels else 0)


def _inputs(export: PlannedExport, subject: Subject, runnable: Runnable, golden: Golden) -> Iterator[InputEntry]:
    preprocessing = subject.facts.preprocessing
    affine = stated_normalization(preprocessing)
    carrier = "input tensor" if carried_normalization(export, subject.graph) else "file"
    normalization = None if affine is None else Normalization(scale=affine[0], offset=affine[1], carried_by=carrier)
    keys = subject.signature.inputs
    for tensor in runnable.facts.inputs:
        feed = runnable.feeds[tensor.name]
        yield InputEntry(
            **_tensor(tensor),
            multiply=feed.multiply,
            add=feed.add,
            normalization=normalization if keys[tensor.name] == preprocessing.key else None,
            sample=_sample_file("input", tensor.name, golden.inputs),
        )


def _tensor(tensor: Any) -> dict[str, Any]:
    return asdict(tensor)
