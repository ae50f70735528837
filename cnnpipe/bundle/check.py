"""A bundle's own check, from the bundle alone: every stated fact is held against another one that came another way."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.bundle.attached import changed_attachments, target_class
from cnnpipe.bundle.client import metadata_problems
from cnnpipe.bundle.feed import feed_of
from cnnpipe.bundle.golden import answers, pixel_problem
from cnnpipe.bundle.listing import in_order
from cnnpipe.bundle.memory import changed_memory
from cnnpipe.bundle.normalization import stated_normalization
from cnnpipe.bundle.open import Bundle, contradictions, open_bundle
from cnnpipe.bundle.parity import CHOICES, again_bound, compare_outputs, elsewhere, holds_choices
from cnnpipe.bundle.runtime import real_outputs, stored_outputs
from cnnpipe.bundle.scales import changed_scales
from cnnpipe.bundle.workers import RUNTIME_SECONDS
from cnnpipe.child import Child
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import FileFacts
from cnnpipe.manifest import LABELS, InputEntry, Manifest, OutputEntry, ParityFile, read_parity

if TYPE_CHECKING:
    import numpy as np

_LARGEST_SAMPLES = 2**30


def check_bundle(folder: Path, runtime: Child | None = None) -> list[Problem]:
    """Return everything that is wrong with a bundle; an empty list when it is as it was proven.

    Checked are: all files are there with their sizes and sha256; the file's tensors and operators are those of
    bundle.json; the input tensor carries the normalization that is stated; the labels are the same everywhere, inside
    the file too; the golden pictures become the golden inputs; the file turns these into the golden outputs, which are
    near to what Keras said and mean the same; what is attached for the device (labels, scales, operators, arrays) is
    what the rest gives.

    Args:
        folder: The bundle.
        runtime: The process that runs the file; one is started for this check when left out.
    """
    try:
        bundle = open_bundle(folder, runtime)
        parity = read_parity(folder)
    except ProblemError as error:
        return list(error.problems)
    problems: list[Problem] = []
    try:
        with contradictions(folder):
            for part in (
                _files(bundle),
                _labels(bundle),
                _preprocessing(bundle),
                _file_facts(bundle),
                _metadata(bundle),
            ):
                problems += part
            problems += _samples(bundle, parity)
            problems += _device(bundle)
    except ProblemError as error:
        problems += error.problems
    finally:
        if runtime is None:
            bundle.close()
    return problems


def _device(bundle: Bundle) -> Iterator[Problem]:
    """Compare what is stated and attached for the device with what the file gives."""
    manifest, file, device = bundle.manifest, bundle.runnable.file, target_class(bundle.manifest)
    if device.metadata and not manifest.metadata:
        yield Problem(f"bundle.json states no metadata inside {file.name}, which the client of {manifest.target} reads")
    yield from changed_memory(device, manifest, file, bundle.runtime)
    yield from changed_attachments(bundle.folder, manifest)
    yield from changed_scales(bundle.folder, file)


def _files(bundle: Bundle) -> Iterator[Problem]:
    if bundle.manifest.file not in bundle.manifest.files:
        yield Problem(f"bundle.json does not list {bundle.manifest.file}")
    for name, entry in bundle.manifest.files.items():
        file = bundle.folder / name
        if not _is_inside(bundle.folder, file):
            yield Problem(f"{name} is missing")
        elif file.stat().st_size != entry.bytes:
            yield Problem(f"{name} has {file.stat().st_size} bytes instead of {entry.bytes}")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != entry.sha256:
            yield Problem(f"{name} was changed (its sha256 is another one)")


def _is_inside(folder: Path, file: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())


def _labels(bundle: Bundle) -> Iterator[Problem]:
    names, file = bundle.manifest.class_names, bundle.folder / LABELS
    if names is None:
        return
    if not file.is_file():
        if LABELS not in bundle.manifest.files:  # else it is told with all other files
            yield Problem(f"{LABELS} is missing, and bundle.json has class names")
        return
    found = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, (wanted, here) in enumerate(zip(names, found, strict=False)):
        if wanted != here:
            yield Problem(f"{LABELS} calls class {number} '{here}', bundle.json calls it '{wanted}'")
            return
    if len(names) != len(found):
        yield Problem(f"{LABELS} has {len(found)} labels, bundle.json {len(names)}")


def _preprocessing(bundle: Bundle) -> Iterator[Problem]:
    stated = bundle.manifest.preprocessing.steps
    wanted = bundle.facts.preprocessing.describe()
    for key in dict.fromkeys((*wanted, *stated)):
        if _plain(wanted.get(key)) != _plain(stated.get(key)):
            yield Problem(
                f"bundle.json states preprocessing.steps.{key} as {stated.get(key)!r}; "
                f"its spec gives {wanted.get(key)!r}"
            )
    keys, affine = bundle.task.signature(bundle.facts).inputs, stated_normalization(bundle.facts.preprocessing)
    for entry in bundle.manifest.inputs:
        here = entry.normalization and (entry.normalization.scale, entry.normalization.offset)
        if affine is None and entry.normalization and entry.normalization.carried_by == "input tensor":
            continue  # what the network itself begins with: held by the tensor's scale and by the golden samples
        if keys.get(entry.name) == bundle.facts.preprocessing.key and here != affine:
            yield Problem(f"bundle.json normalizes '{entry.name}' by {here}; its preprocessing asks for {affine}")


def _file_facts(bundle: Bundle) -> Iterator[Problem]:
    """Compare bundle.json with the file, and the input's scale and zero point with the normalization."""
    stated, spec, file = bundle.runnable.facts, bundle.runnable.exporter, bundle.runnable.file
    found: FileFacts = bundle.runtime.call("cnnpipe.bundle.workers.inspect", spec, file, timeout=RUNTIME_SECONDS)
    for kind in ("inputs", "outputs", "operators", "float_operators", "tensors"):
        if getattr(stated, kind) != getattr(found, kind):
            yield Problem(
                f"{file.name} has other {kind} than bundle.json states: {_first_difference(stated, found, kind)}"
            )
    for entry, tensor in zip(bundle.manifest.inputs, found.inputs, strict=False):
        try:
            feed = feed_of(tensor, _carried(entry))
        except ProblemError as error:
            yield from error.problems
            continue
        if (feed.multiply, feed.add) != (entry.multiply, entry.add):
            yield Problem(
                f"bundle.json fills '{entry.name}' with pixel * {entry.multiply:g} + {entry.add:g}; "
                f"its scale and zero point ask for pixel * {feed.multiply:g} + {feed.add:g}"
            )


def _metadata(bundle: Bundle) -> Iterator[Problem]:
    """Compare what the file says about itself to a client library with bundle.json."""
    if bundle.manifest.metadata:
        file, reader = bundle.runnable.file, "cnnpipe.litert_metadata.read_metadata"
        yield from metadata_problems(bundle.manifest, bundle.runtime.call(reader, file, timeout=RUNTIME_SECONDS))


def _carried(entry: InputEntry) -> tuple[float, float] | None:
    """Return the normalization that the input tensor carries, None when the file or nothing does.

    Raises:
        ProblemError: It is said to carry one number per channel, which no tensor of pixels can.
    """
    stated = entry.normalization
    if stated is None or stated.carried_by != "input tensor":
        return None
    if isinstance(stated.scale, tuple) or isinstance(stated.offset, tuple):
        raise ProblemError(Problem(f"the input tensor '{entry.name}' cannot carry a normalization of each channel"))
    return stated.scale, stated.offset


def _first_difference(stated: FileFacts, found: FileFacts, kind: str) -> str:
    a, b = getattr(stated, kind), getattr(found, kind)
    if not isinstance(a, tuple) or len(a) != len(b):
        return f"{b!r} instead of {a!r}"
    return next(f"{y} instead of {x}" for x, y in zip(a, b, strict=True) if x != y)


def _samples(bundle: Bundle, parity: ParityFile) -> Iterator[Problem]:
    manifest = bundle.manifest
    inputs, outputs = (golden_values(bundle.folder, entries) for entries in (manifest.inputs, manifest.outputs))
    _check_shapes(manifest, parity, inputs, outputs)
    yield from _originals(bundle, parity, next(iter(inputs.values())))
    found = stored_outputs(bundle.runtime, bundle.runnable, inputs)
    reference = _reference(bundle, parity)
    yield from _repeated(bundle, parity, found, outputs, reference)
    names = [sample.name for sample in parity.samples]
    tensors, here = bundle.runnable.facts.outputs, real_outputs(bundle.runnable, found)
    for one in compare_outputs(reference, here, tensors, manifest.quantization, names, listed=manifest.listed):
        if not one.passed:
            yield one.problem(manifest.file)
    said = answers(bundle.runnable, found, bundle.task, bundle.facts)
    for sample, prediction in zip(parity.samples, said, strict=True):
        if not bundle.task.alike(_plain(sample.prediction), _plain(prediction)):
            yield Problem(
                f"the golden sample '{sample.name}' should be {_short(sample.prediction)}; "
                f"the file and the labels of the bundle make it {_short(prediction)}"
            )


def _check_shapes(
    manifest: Manifest, parity: ParityFile, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> None:
    """Stop when the samples do not have the form of the tensors: nothing more can be said about them."""
    entries: list[InputEntry | OutputEntry] = [*manifest.inputs, *manifest.outputs]
    for entry in entries:
        values = {**inputs, **outputs}[entry.name]
        wanted = (len(parity.samples), *entry.shape[1:])
        if values.shape != wanted or values.dtype != entry.dtype or not parity.samples:
            message = f"{entry.sample} holds {values.dtype} {values.shape}; '{entry.name}' takes {entry.dtype} {wanted}"
            raise ProblemError(Problem(message))


def _originals(bundle: Bundle, parity: ParityFile, inputs: np.ndarray) -> Iterator[Problem]:
    tensor, feed = bundle.runnable.facts.inputs[0], bundle.runnable.feeds[bundle.manifest.inputs[0].name]
    made = bundle.facts.preprocessing.input_shape()
    if made != inputs.shape[1:]:  # and it may be too large to be made
        yield Problem(f"preprocessing makes {made} of a picture, and '{tensor.name}' takes {inputs.shape[1:]}")
        return
    for row, sample in enumerate(parity.samples):
        if sample.original is None:
            continue
        file = bundle.folder / sample.original
        if not _is_inside(bundle.folder, file):
            yield Problem(f"{sample.original} is missing")
            continue
        try:
            pixels = bundle.facts.preprocessing.apply(file.read_bytes())
        except (OSError, ValueError) as error:
            yield Problem(f"{sample.original} cannot be read ({error})")
            continue
        if problem := pixel_problem(sample.name, inputs[row], feed.apply(pixels, tensor.dtype)):
            yield problem


def _repeated(
    bundle: Bundle,
    parity: ParityFile,
    found: Mapping[str, Any],
    stored: Mapping[str, Any],
    reference: Mapping[str, Any],
) -> Iterator[Problem]:
    """Compare what the file says now with the golden outputs."""
    import numpy as np

    now, then = real_outputs(bundle.runnable, found), real_outputs(bundle.runnable, stored)
    now = in_order(now, then) if bundle.manifest.listed else now
    for tensor in bundle.runnable.facts.outputs:
        if holds_choices(tensor):
            bound, errors = CHOICES.again, elsewhere(now[tensor.name], then[tensor.name])
        else:
            magnitude = float(np.abs(reference[tensor.name]).max(initial=0.0))
            bound = again_bound(bundle.manifest.quantization, magnitude, tensor.scale or 0.0)
            errors = np.abs(now[tensor.name] - then[tensor.name]).reshape(len(parity.samples), -1).max(axis=1)
        if not (errors <= bound).all():
            worst = int(np.nan_to_num(errors, nan=np.inf).argmax())
            yield Problem(
                f"the golden sample '{parity.samples[worst].name}' gives another '{tensor.name}' "
                f"than its golden output: off by {errors[worst]:.3g}, allowed is {bound:.3g}"
            )


def _reference(bundle: Bundle, parity: ParityFile) -> dict[str, np.ndarray]:
    import numpy as np

    found = {}
    for entry in bundle.manifest.outputs:
        stated = [sample.reference.get(entry.name) for sample in parity.samples]
        file = stated[0] if stated else None
        values = np.asarray(_load(bundle.folder, file) if isinstance(file, str) else stated, dtype=np.float64)
        if values.shape != (len(parity.samples), *entry.shape[1:]):
            raise ProblemError(
                Problem(f"parity.json holds no reference of the shape {entry.shape[1:]} for '{entry.name}'")
            )
        found[entry.name] = values
    return found


def golden_values(folder: Path, entries: Sequence[InputEntry | OutputEntry]) -> dict[str, np.ndarray]:
    """Return the golden inputs or outputs of a bundle, as the file stores them, by tensor name.

    Raises:
        ProblemError: A file is missing, or holds no array.
    """
    return {entry.name: _load(folder, entry.sample) for entry in entries}


def _load(folder: Path, name: str) -> np.ndarray:
    import numpy as np

    file = folder / Path(name).name
    try:
        if file.stat().st_size > _LARGEST_SAMPLES:
            raise ProblemError(Problem(f"{name} is too large for golden samples"))
        return np.asarray(np.load(io.BytesIO(file.read_bytes()), allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise ProblemError(Problem(f"{name} cannot be read ({error})")) from None


def _plain(value: Any) -> Any:
    """Return a value as JSON gives it back: tuples are lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _short(prediction: Mapping[str, Any]) -> str:
    said = {key: value for key, value in prediction.items() if not isinstance(value, (float, dict))}
    return repr(next(iter(said.values())) if len(said) == 1 else said)
