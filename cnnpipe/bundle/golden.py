"""Golden samples: real examples with the right answers, so that a bundle can be checked from the bundle alone.

Three independent paths meet in each sample: the picture and what sealed preprocessing makes of it (colour order, size,
normalization), what the file said, and what the run's Keras model said, by name (labels).
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnpipe.bundle.runtime import Runnable, real_outputs, stored_inputs, stored_outputs
from cnnpipe.bundle.subject import Subject
from cnnpipe.child import Child
from cnnpipe.errors import Problem, ProblemError

if TYPE_CHECKING:
    import numpy as np

    from cnnpipe.task import Arrays, Facts, Prediction, Task

MOST, LEAST = 16, 4
LARGE = 1024
"""Values of one example's output above which there are few samples, and a file of its own holds what Keras said."""


@dataclass(frozen=True)
class Golden:
    """Golden samples, aligned by position.

    Args:
        names: Names of the examples.
        originals: A picture each, as the content of a PNG file; None where inputs are no pictures.
        inputs: Inputs as the file stores them, by tensor name.
        outputs: What the file said, as it stores it, by tensor name.
        reference: What Keras said, by tensor name.
        predictions: What that means in the task's words.
    """

    names: tuple[str, ...]
    originals: tuple[bytes | None, ...]
    inputs: Arrays
    outputs: Arrays
    reference: Arrays
    predictions: tuple[Prediction, ...]


def choose(subject: Subject, file_predictions: Sequence[Prediction], predictions: Sequence[Prediction]) -> list[int]:
    """Return the positions of the test examples that become golden: one of each kind of truth first.

    Only examples on which file and Keras say the same are taken: an example on the edge between two classes would say
    nothing about another processor. Where there is none, any.
    """
    split = subject.splits["test"]
    alike = subject.task.alike
    agreed = [row for row in range(len(split)) if alike(file_predictions[row], predictions[row])]
    rows = agreed or list(range(len(split)))
    kinds: dict[bytes, int] = {}
    for row in rows:
        kinds.setdefault(b"".join(values[row].tobytes() for values in split.targets.values()), row)
    largest = max(math.prod(subject.graph.nodes[position].shape) for position in subject.graph.outputs.values())
    chosen = list(kinds.values())[: LEAST if largest > LARGE else MOST]
    chosen += [row for row in rows if row not in chosen][: max(0, LEAST - len(chosen))]
    return sorted(chosen)


def make(subject: Subject, runtime: Child, runnable: Runnable, rows: Sequence[int]) -> Golden:
    """Return the golden samples of these test examples.

    Raises:
        ProblemError: Preprocessing does not turn a file or a picture into the pixels that the run used.
    """
    split = subject.splits["test"]
    inputs = subject.network_inputs("test", rows)
    names = tuple(split.names[row] for row in rows)
    _check_files(subject, rows)
    originals = tuple(picture(pixels) for pixels in next(iter(inputs.values())))
    for name, original, pixels in zip(names, originals, next(iter(inputs.values())), strict=True):
        found = None if original is None else subject.facts.preprocessing.apply(original)
        if found is not None and (problem := pixel_problem(name, pixels, found)):
            raise ProblemError(problem)
    reference = subject.call(inputs)
    stored = stored_inputs(runnable, inputs)
    return Golden(
        names=names,
        originals=originals,
        inputs=stored,
        outputs=stored_outputs(runtime, runnable, stored),
        reference=reference,
        predictions=tuple(subject.task.decode(reference, subject.facts)),
    )


def picture(pixels: np.ndarray) -> bytes | None:
    """Return pixels as a PNG file, or None when they are no 8-bit picture of one or three channels."""
    from PIL import Image

    if pixels.dtype != "uint8" or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        return None
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()


def pixel_problem(name: str, wanted: np.ndarray, found: np.ndarray) -> Problem | None:
    """Return what is wrong when the picture of a golden sample does not become its input, else None.

    Args:
        name: The sample's name.
        wanted: The golden input of one example.
        found: What preprocessing made of the picture, in the same form.
    """
    import numpy as np

    if wanted.shape == found.shape and np.array_equal(wanted, found):
        return None
    what = f"the picture of the golden sample '{name}' does not become its input"
    if wanted.shape != found.shape:
        return Problem(f"{what}: it has the shape {found.shape} instead of {wanted.shape}")
    if np.array_equal(wanted, found[..., ::-1]):
        return Problem(f"{what}: the colours are in reverse order (RGB taken for BGR)")
    apart = np.abs(wanted.astype(float) - found).max()
    return Problem(f"{what}: values differ by up to {apart:g}")


def answers(runnable: Runnable, outputs: Arrays, task: Task, facts: Facts) -> list[Prediction]:
    """Return what stored outputs of the file mean in the task's words."""
    return task.decode(real_outputs(runnable, outputs), facts)


def _check_files(subject: Subject, rows: Sequence[int]) -> None:
    """Read the original files again through the sealed function: training must have seen the very same pixels."""
    import numpy as np

    split, preprocessing = subject.splits["test"], subject.facts.preprocessing
    pixels = next(iter(split.inputs.values()))
    for row in rows:
        file = split.files[row]
        if file is not None and not np.array_equal(preprocessing.apply(file.read_bytes()), pixels[row]):
            raise ProblemError(Problem(f"preprocessing of {file} gives other pixels than the run used"))
