"""The contents of bundle.json, typed: enough to run the file in C without Python, and to check the bundle alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from cnnpipe.errors import Problem, ProblemError, dotted
from cnnpipe.exporters import Granularity, Quantization
from cnnpipe.spec import Spec

MANIFEST, LABELS, PARITY, README = "bundle.json", "labels.txt", "parity.json", "README.md"
VERSION = 1
DataType = Literal["float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool"]
Shape = tuple[Annotated[int, Field(ge=0, le=2**31)], ...]
Content = TypeVar("Content", bound=Spec)
_LARGEST = 64 * 2**20


class FileEntry(Spec):
    """A file of the bundle."""

    bytes: int = Field(ge=0)
    sha256: str


class Normalization(Spec):
    """What happens to pixels before the first layer: `pixel * scale + offset`, one number or one per channel."""

    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...]
    carried_by: str
    """`input tensor`: by its scale and zero point, nothing is left to do. `file`: by an operator inside."""


class InputEntry(Spec):
    """An input of the file. Fill it with `stored = clip(round(pixel * multiply + add))`; float32 is not rounded."""

    name: str
    shape: Shape
    """Batch, height, width, channels for an image; row by row from the top left, channels innermost."""
    dtype: DataType
    scale: float | None
    zero_point: int | None
    multiply: float
    add: float
    normalization: Normalization | None
    """None where there is none: the network takes pixels as they are."""
    sample: str
    """File with golden inputs as the tensor stores them, one after another."""


class OutputEntry(Spec):
    """An output of the file. Read it with `real = scale * (stored - zero_point)`; without a scale it is real."""

    name: str
    shape: Shape
    dtype: DataType
    scale: float | None
    zero_point: int | None
    meaning: str
    sample: str
    """File with golden outputs as the tensor stores them, one for each golden input."""


class PreprocessingEntry(Spec):
    """What a client does to a raw example before it fills the input."""

    spec: dict[str, Any]
    steps: dict[str, Any]


class Calibration(Spec):
    """What the ranges of activations were measured on."""

    split: str
    examples: int
    constant_frames: int
    """Frames of nothing but the smallest and the largest pixel, so that the input's range is exact."""
    choice: str = "random"
    """Which examples: `random`, or `balanced`: equally many of each label."""
    seed: int = 0
    """Chose them."""


class Rung(Spec):
    """One remedy that a ladder tried, measured on the validation split."""

    rung: str
    """What was tried, in words."""
    quantization: Quantization
    state: Literal["chosen", "failed", "not run"]
    reason: str = ""
    """Why it was not run, or failed; empty where it only lost more than `max_drop`."""
    examples: int | None = None
    """How many training examples it was calibrated on."""
    float_tensors: tuple[str, ...] = ()
    """Tensors whose operators were kept in float."""
    bytes: int | None = None
    """Size of the file."""
    latency_ms: float | None = None
    """Median time for one example on the host."""
    score: float | None = None
    """The headline metric of the file."""
    drop: float | None = None
    """How much worse that is than Keras."""
    lost: int | None = None
    """Examples that the file does worse than Keras; None where examples have no scores."""
    won: int | None = None
    """Examples that it does better."""


class Memory(Spec):
    """What the file takes in LiteRT Micro, in bytes. The reference kernels' need: optimized ones may want more."""

    head: int = Field(ge=0)
    """Tensors and scratch."""
    tail: int = Field(ge=0)
    """What stays for good, on a host of 64 bits."""
    arena: int = Field(ge=0)
    """The whole that the runtime needs."""
    recommended: int = Field(ge=0)
    """With a margin for other kernels: what to reserve on the device."""
    measured_by: str | None
    """Runtime and version that told head and tail; None when they are computed from the file."""


class Proof(Spec):
    """What a runtime of the device said about the file, on this host."""

    runtime: str
    """Its name among `cnnpipe list runtimes`."""
    state: Literal["passed", "failed", "not run"]
    reason: str = ""
    """Why it failed, or was not run."""
    examples: int = Field(default=0, ge=0)
    """How many examples it answered."""
    differing: int = Field(default=0, ge=0)
    """On how many of them it says something else than LiteRT."""
    largest_steps: float | None = None
    """Largest difference of a stored output to LiteRT's, in steps."""
    score: float | None = None
    """The headline metric in this runtime; None where the examples have no truth."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """What else it measured."""


class Manifest(Spec):
    """All of bundle.json."""

    bundle: int
    """Version of this layout."""
    cnnpipe: str
    origin: dict[str, Any]
    target: str
    device: dict[str, Any] = Field(default_factory=dict)
    """The target with its options, as a recipe writes it."""
    format: dict[str, Any]
    quantization: Quantization
    file: str
    client: str
    decoding: dict[str, Any] = Field(default_factory=dict)
    """What else is needed to make answers of the outputs; which of it the client needs depends on its kind."""
    listed: bool = False
    """Whether the outputs are a list: row k of each belongs to the k-th thing found, the surest first."""
    task: dict[str, Any]
    class_names: tuple[str, ...] | None
    granularity: Granularity | None = None
    """Whether int8 weights have a scale for each output channel or one for all; None where there are none."""
    calibration: Calibration | None
    inputs: tuple[InputEntry, ...] = Field(min_length=1)
    outputs: tuple[OutputEntry, ...] = Field(min_length=1)
    preprocessing: PreprocessingEntry
    operators: tuple[str, ...]
    float_operators: tuple[str, ...]
    tensors: int
    notes: tuple[str, ...]
    max_drop: float | None
    host_latency_ms: float
    metadata: bool = False
    """Whether the file says its labels and normalization itself, for a client library such as MediaPipe Tasks."""
    memory: Memory | None = None
    """None for a target that has no arena."""
    proofs: tuple[Proof, ...] = ()
    """What the device's own runtimes said, on the test split."""
    ladder: tuple[Rung, ...] = ()
    """All that was tried, in this order, where the recipe asks for the ladder."""
    scores: dict[str, Any]
    """For `validation` and `test`: `model` (Keras), `file`, each metric with n and interval, and `drop`."""
    files: dict[str, FileEntry]


class GoldenSample(Spec):
    """One golden sample, in parity.json."""

    name: str
    original: str | None
    """A picture in the bundle that preprocessing turns into exactly this golden input."""
    prediction: dict[str, Any]
    """What the run's Keras model said."""
    reference: dict[str, Any]
    """Its outputs by name, as nested lists; a large one as the name of the file that holds those of all samples."""


class ParityFile(Spec):
    """All of parity.json."""

    passed: bool
    outputs: dict[str, tuple[dict[str, Any], ...]]
    """For `validation` and `test`: how near each output is to Keras, and the bounds."""
    samples: tuple[GoldenSample, ...]


def read_manifest(folder: Path) -> Manifest:
    """Return the bundle.json of a folder.

    Raises:
        ProblemError: It is not there, or is none of this version.
    """
    manifest = _read(folder / MANIFEST, Manifest)
    if manifest.bundle != VERSION:
        message = f"{folder / MANIFEST} has layout {manifest.bundle}; this version of cnnpipe knows {VERSION}"
        raise ProblemError(Problem(message))
    return manifest


def read_parity(folder: Path) -> ParityFile:
    """Return the parity.json of a folder.

    Raises:
        ProblemError: It is not there, or is none.
    """
    return _read(folder / PARITY, ParityFile)


def to_json(content: Spec) -> str:
    """Return the text of a JSON file of the bundle."""
    return json.dumps(content.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def tuples(value: Any) -> Any:
    """Return what JSON holds with tuples for lists, as specs want it."""
    if isinstance(value, dict):
        return {key: tuples(item) for key, item in value.items()}
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def _read(file: Path, kind: type[Content]) -> Content:
    try:
        if file.stat().st_size > _LARGEST:
            raise ProblemError(Problem(f"{file} is too large to be what it should be ({file.stat().st_size} bytes)"))
        return kind.model_validate(tuples(json.loads(file.read_bytes())))
    except OSError as error:
        raise ProblemError(Problem(f"{file} cannot be read ({error.strerror})")) from error
    except (ValueError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            raise ProblemError(Problem(f"{file} is no JSON ({error})")) from error
        first = error.errors()[0]
        where = dotted(first["loc"]) or "the file"
        raise ProblemError(Problem(f"{file} is damaged ({where}: {first['msg']})")) from error
