"""What was measured on a written file, and the bundle.json that states it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from cnnpipe import __version__
from cnnpipe.bundle.comparison import Comparison
from cnnpipe.bundle.golden import Golden
from cnnpipe.bundle.normalization import carried_normalization, stated_normalization
from cnnpipe.bundle.runtime import Runnable
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import CONSTANT_FRAMES
from cnnpipe.datasets import SplitName
from cnnpipe.exporters import CALIBRATED
from cnnpipe.manifest import (
    VERSION,
    Calibration,
    InputEntry,
    Manifest,
    Normalization,
    OutputEntry,
    PreprocessingEntry,
    Rung,
)
from cnnpipe.recipe.exports import WEIGHTS_OF_8_BITS, PlannedExport
from cnnpipe.task import Arrays


@dataclass(frozen=True)
class Measured:
    """A file that kept its promises.

    Args:
        runnable: The written file.
        golden: The golden samples.
        comparisons: How it does against Keras, by split.
        latency_ms: Time for one example on this host.
        rungs: Of a ladder, all that was tried.
    """

    runnable: Runnable
    golden: Golden
    comparisons: Mapping[SplitName, Comparison]
    latency_ms: float
    rungs: tuple[Rung, ...] = ()


def sample_file(kind: str, tensor: str, tensors: Arrays) -> str:
    """Return the name of the file with the golden values of a tensor."""
    return f"sample_{kind}.npy" if len(tensors) == 1 else f"sample_{kind}_{tensor}.npy"


def make_manifest(export: PlannedExport, subject: Subject, measured: Measured) -> Manifest:
    """Return the content of bundle.json, yet without the list of files."""
    facts, preprocessing = measured.runnable.facts, subject.facts.preprocessing
    return Manifest(
        bundle=VERSION,
        cnnpipe=__version__,
        origin=dict(subject.origin),
        target=export.target,
        device=export.device.model_dump(mode="json", exclude={"format"}),
        format=export.exporter.model_dump(mode="json"),
        quantization=export.quantization,
        file=export.exporter.file_name,
        client=subject.signature.client,
        decoding=dict(subject.signature.decoding),
        listed=subject.signature.listed,
        task=subject.task.model_dump(mode="json"),
        class_names=subject.facts.class_names,
        granularity=export.granularity if export.quantization in WEIGHTS_OF_8_BITS else None,
        calibration=_calibration(export, subject),
        inputs=tuple(_inputs(export, subject, measured)),
        outputs=tuple(_outputs(subject, measured)),
        preprocessing=PreprocessingEntry(spec=preprocessing.model_dump(mode="json"), steps=preprocessing.describe()),
        operators=facts.operators,
        float_operators=facts.float_operators,
        tensors=facts.tensors,
        notes=facts.notes,
        metadata=export.device.metadata,
        max_drop=export.max_drop,
        host_latency_ms=round(measured.latency_ms, 4),
        memory=measured.runnable.memory,
        ladder=measured.rungs,
        scores={split: comparison.as_json() for split, comparison in measured.comparisons.items()},
        files={},
    )


def _calibration(export: PlannedExport, subject: Subject) -> Calibration | None:
    if export.quantization not in CALIBRATED:
        return None
    training = subject.splits["training"]
    pixels = all(values.dtype == "uint8" for values in training.inputs.values())
    examples = min(export.calibration_examples, len(training))
    return Calibration(
        split="training",
        examples=examples,
        constant_frames=CONSTANT_FRAMES if pixels else 0,
        choice=export.calibration_choice,
        seed=subject.seed,
    )


def _inputs(export: PlannedExport, subject: Subject, measured: Measured) -> Iterator[InputEntry]:
    preprocessing = subject.facts.preprocessing
    carried = carried_normalization(export, subject.graph)  # of a published network that begins with one, its own
    affine, carrier = (carried, "input tensor") if carried else (stated_normalization(preprocessing), "file")
    normalization = None if affine is None else Normalization(scale=affine[0], offset=affine[1], carried_by=carrier)
    keys = subject.signature.inputs
    for tensor in measured.runnable.facts.inputs:
        feed = measured.runnable.feeds[tensor.name]
        yield InputEntry(
            **asdict(tensor),
            multiply=feed.multiply,
            add=feed.add,
            normalization=normalization if keys[tensor.name] == preprocessing.key else None,
            sample=sample_file("input", tensor.name, measured.golden.inputs),
        )


def _outputs(subject: Subject, measured: Measured) -> Iterator[OutputEntry]:
    for tensor in measured.runnable.facts.outputs:
        meaning = subject.signature.outputs[tensor.name]
        sample = sample_file("output", tensor.name, measured.golden.outputs)
        yield OutputEntry(**asdict(tensor), meaning=meaning, sample=sample)
