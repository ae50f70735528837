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

from cnnpipe import files
from cnnpipe.bundle.attached import write_attachments
from cnnpipe.bundle.comparison import LostExample
from cnnpipe.bundle.golden import LARGE, Golden
from cnnpipe.bundle.measured import Measured, make_manifest, sample_file
from cnnpipe.bundle.readme import readme
from cnnpipe.bundle.scales import write_scales
from cnnpipe.bundle.subject import Subject
from cnnpipe.errors import Problem
from cnnpipe.manifest import (
    LABELS,
    MANIFEST,
    PARITY,
    README,
    FileEntry,
    GoldenSample,
    Manifest,
    ParityFile,
    Rung,
    to_json,
)
from cnnpipe.recipe.exports import PlannedExport

if TYPE_CHECKING:
    import numpy as np

STAGING, OLD, REASONS = ".staging-", ".staging-old-", "rejected.json"


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target`; after the block it becomes `target` in one step.

    When the block fails, `target` keeps its old content.
    """
    staging = target.with_name(f"{STAGING}{os.getpid()}-{target.name}")
    old = target.with_name(f"{OLD}{os.getpid()}-{target.name}")
    try:
        for leftover in sorted(target.parent.glob(f"{STAGING}*")):
            _restore_or_remove(leftover)
        staging.mkdir(parents=True)
        yield staging
        for file in (*staging.rglob("*"), staging):
            files.sync(file)
        if target.exists():
            os.replace(target, old)
        os.replace(staging, target)
        files.sync(target.parent)
    except OSError as error:
        if old.exists() and not target.exists():
            os.replace(old, target)
        raise files.writing_failed(target, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _restore_or_remove(leftover: Path) -> None:
    """Tidy up what a killed process left: put back the older folder if it was killed between its two last steps."""
    target = leftover.with_name(leftover.name.removeprefix(OLD).partition("-")[2])
    if leftover.name.startswith(OLD) and not target.exists():
        os.replace(leftover, target)
    else:
        shutil.rmtree(leftover, ignore_errors=True)


def write_bundle(folder: Path, export: PlannedExport, subject: Subject, measured: Measured) -> None:
    """Write all files of a bundle into an empty folder.

    Args:
        folder: An empty folder.
        export: What was asked for.
        subject: What was exported.
        measured: The file, and what was measured on it.
    """
    golden = measured.golden
    shutil.copyfile(measured.runnable.file, folder / export.exporter.file_name)
    write_scales(folder, measured.runnable.file)
    names = subject.facts.class_names
    if names is not None:
        (folder / LABELS).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    for tensors, kind in ((golden.inputs, "input"), (golden.outputs, "output")):
        for name, values in tensors.items():
            (folder / sample_file(kind, name, tensors)).write_bytes(_npy(values))
    originals = _write_originals(folder, golden)
    references = _write_references(folder, golden)
    (folder / PARITY).write_text(to_json(_parity(measured, originals, references)), encoding="utf-8")
    finish(folder, make_manifest(export, subject, measured))


def finish(folder: Path, manifest: Manifest) -> None:
    """Write what is made of the bundle: attachments, README, and bundle.json with the list of all other files."""
    beside = write_attachments(folder, manifest)
    (folder / README).write_text(readme(manifest, beside), encoding="utf-8")
    (folder / MANIFEST).write_text(to_json(seal(folder, manifest)), encoding="utf-8")


def write_rejected(
    folder: Path, file: Path, problems: Sequence[Problem], lost: Sequence[LostExample], rungs: Sequence[Rung] = ()
) -> None:
    """Write a file that broke a promise, with the reasons, so that it can be looked at. It is no bundle.

    Args:
        folder: An empty folder.
        file: The exported file.
        problems: Which promises it broke.
        lost: The examples that were lost.
        rungs: Of a ladder, all that was tried.
    """
    shutil.copyfile(file, folder / file.name)
    content = {"problems": [problem.message for problem in problems], "lost": [asdict(example) for example in lost]}
    if rungs:
        content["ladder"] = [rung.model_dump(mode="json") for rung in rungs]
    (folder / REASONS).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Return the manifest with size and sha256 of every other file of the folder."""
    found = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST)
    entries = {file.relative_to(folder).as_posix(): _entry(file) for file in found}
    return manifest.model_copy(update={"files": entries})


def _entry(file: Path) -> FileEntry:
    content = file.read_bytes()
    return FileEntry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


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


def _write_references(folder: Path, golden: Golden) -> dict[str, str]:
    """Write what Keras said where that is too much for JSON, and return the file of each such output."""
    large = {name: values for name, values in golden.reference.items() if values[0].size > LARGE}
    found = {name: sample_file("reference", name, golden.reference) for name in large}
    for name, file in found.items():
        (folder / file).write_bytes(_npy(large[name]))
    return found


def _parity(measured: Measured, originals: Sequence[str | None], references: Mapping[str, str]) -> ParityFile:
    golden = measured.golden
    samples = [
        GoldenSample(
            name=name,
            original=originals[row],
            prediction=dict(golden.predictions[row]),
            reference={
                output: references.get(output) or values[row].tolist() for output, values in golden.reference.items()
            },
        )
        for row, name in enumerate(golden.names)
    ]
    found = {split: comparison.parity for split, comparison in measured.comparisons.items()}
    outputs: dict[str, Any] = {split: tuple(asdict(one) for one in parity) for split, parity in found.items()}
    passed = all(one.passed for parity in found.values() for one in parity)
    return ParityFile(passed=passed, outputs=outputs, samples=tuple(samples))
