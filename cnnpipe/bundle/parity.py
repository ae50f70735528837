"""Parity: the written file says the same as Keras, example by example, within a stated tolerance.

Float files must agree in every value. Files with 8-bit weights err a little everywhere, and much on the few examples
that the model itself finds ambiguous; so what is bounded is the mean error, and the share of examples with a large
error. An output for many places, such as pixels or boxes, has ambiguous places in each example: there the error of an
example is the one that only that same share of its places exceeds. An example whose class changes although the leading
probability was more than twice `large` ahead has such an error. All bounds are fractions of the output's magnitude (the
largest absolute value that Keras gave), plus steps of the output tensor where it is quantized: an output of 1/256 steps
cannot be nearer than half a step.

An output of integers without a scale holds choices, such as the class of each pixel. What counts there is how many of
an example's places choose something else, as a share: how far apart two numbers are says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from cnnpipe.errors import Problem
from cnnpipe.exporters import Quantization, TensorFacts

if TYPE_CHECKING:
    import numpy as np

    from cnnpipe.task import Arrays


@dataclass(frozen=True)
class Tolerance:
    """What is allowed, as fractions of the output's magnitude.

    Args:
        mean: Mean absolute error over very many examples and values; a mean of n may be 1 / sqrt(n) of it larger.
        large: An example with a larger error in any value is far off.
        far_off: Share of examples that may be far off.
        again: How far a second run, on another processor, may be from the stored samples.
    """

    mean: float
    large: float
    far_off: float
    again: float

    def or_wider(self, other: Tolerance) -> Tolerance:
        """Return what either of both allows."""
        return Tolerance(*(max(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)))


QUANTIZED = Tolerance(mean=0.05, large=0.25, far_off=0.05, again=0.02)
"""A whole pretrained MobileNetV2 is off by 0.034 in the mean as int8, a few small layers by less than 0.01. What that
costs in the task's own metric is for `max_drop` to judge; this finds files that are wrong."""
ROUNDED = Tolerance(mean=0.01, large=0.05, far_off=0.05, again=0.02)
"""Against the network with the file's own rounding in it. LiteRT's own kernels round sums and products of activations
in several ways; a deep network carries one such step to its end as many."""
HALF = Tolerance(mean=5e-3, large=5e-2, far_off=0.0, again=2e-2)
"""A whole pretrained MobileNetV2 is off by 0.003 in the mean and by 0.016 at most as float16."""
TOLERANCES: dict[Quantization, Tolerance] = {
    "none": Tolerance(mean=1e-5, large=1e-4, far_off=0.0, again=1e-4),
    "float16": HALF,
    "dynamic_range": QUANTIZED,
    "int8": QUANTIZED,
    "int16x8": QUANTIZED,
}
MEAN_STEPS, LARGE_STEPS, AGAIN_STEPS = 1.0, 4.0, 2.0
CHOICES = Tolerance(mean=1e-4, large=1e-3, far_off=0.0, again=1e-3)
"""Shares of the places of an output of integers that may choose something else even in float: where two classes are
equally likely rounding decides."""


@dataclass(frozen=True)
class OutputParity:
    """How near one output of the file is to Keras, and the bounds in the output's own unit; of choices in shares."""

    output: str
    examples: int
    magnitude: float
    mean_error: float
    mean_bound: float
    largest_error: float
    large_bound: float
    far_off: int
    far_off_bound: int
    worst_example: str
    choices: bool = False

    @property
    def passed(self) -> bool:
        """Whether all bounds hold. Not-a-number holds none."""
        return self.mean_error <= self.mean_bound and self.far_off <= self.far_off_bound

    def problem(self, file: str) -> Problem:
        """Return what is wrong, naming file and example."""
        if self.choices:
            return Problem(
                f"{file} does not answer as Keras does: '{self.output}' differs at {self.mean_error:.3%} "
                f"of all places (allowed {self.mean_bound:.3%}), and on {self.far_off} of {self.examples} examples at "
                f"more than {self.large_bound:.3%} (allowed on {self.far_off_bound}), most of all on "
                f"'{self.worst_example}' at {self.largest_error:.3%}"
            )
        return Problem(
            f"{file} does not answer as Keras does: its output '{self.output}' is off by {self.mean_error:.3g} in the "
            f"mean (allowed {self.mean_bound:.3g}), and on {self.far_off} of {self.examples} examples by more than "
            f"{self.large_bound:.3g} (allowed on {self.far_off_bound}), most of all on '{self.worst_example}' "
            f"by {self.largest_error:.3g}"
        )


def compare_outputs(
    reference: Arrays,
    found: Arrays,
    tensors: Sequence[TensorFacts],
    quantization: Quantization,
    names: Sequence[str],
    tolerance: Tolerance | None = None,
    listed: bool = False,
) -> list[OutputParity]:
    """Compare outputs of the file with those of Keras on the same examples.

    Args:
        reference: Outputs of Keras by name, batch axis first.
        found: Outputs of the file as real values, by name.
        tensors: The file's output tensors.
        quantization: Decides the tolerance.
        names: Names of the examples.
        tolerance: Another one.
        listed: Whether the outputs are a list, whose rows may come in another order (`listing.py`).
    """
    allowed = tolerance or TOLERANCES[quantization]
    if listed:
        from cnnpipe.bundle.listing import LISTED, in_order

        found, allowed = in_order(found, reference), allowed.or_wider(LISTED)
    by_name = {tensor.name: tensor for tensor in tensors}
    return [
        _compare_choices(name, reference[name], found[name], allowed, names)
        if holds_choices(by_name[name])
        else _compare(name, reference[name], found[name], by_name[name].scale or 0.0, allowed, names, listed)
        for name in reference
    ]


def holds_choices(tensor: TensorFacts) -> bool:
    """Return whether a tensor holds integers that stand for themselves."""
    return tensor.scale is None and "int" in tensor.dtype


def elsewhere(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the share of places of each example that choose something else."""
    share: np.ndarray = (found != reference).reshape(len(reference), -1).mean(axis=1)
    return share


def _compare_choices(
    output: str, reference: np.ndarray, found: np.ndarray, tolerance: Tolerance, names: Sequence[str]
) -> OutputParity:
    shares = elsewhere(found, reference)
    large = max(tolerance.large, CHOICES.large)
    return OutputParity(
        output=output,
        examples=len(names),
        magnitude=1.0,
        mean_error=float(shares.mean()),
        mean_bound=max(tolerance.mean, CHOICES.mean) * (1 + len(names) ** -0.5),
        largest_error=float(shares.max()),
        large_bound=large,
        far_off=int((shares > large).sum()),
        far_off_bound=_of(tolerance, names),
        worst_example=names[int(shares.argmax())],
        choices=True,
    )


def _of(tolerance: Tolerance, names: Sequence[str]) -> int:
    """Return how many examples may be far off: of few examples, one."""
    return max(int(tolerance.far_off * len(names)), int(tolerance.far_off > 0))


def _compare(
    output: str,
    reference: np.ndarray,
    found: np.ndarray,
    step: float,
    tolerance: Tolerance,
    names: Sequence[str],
    listed: bool,
) -> OutputParity:
    import numpy as np

    errors = np.abs(np.asarray(found, np.float64) - reference).reshape(len(names), -1)
    errors[np.isnan(errors)] = np.inf
    values = 1 if reference.ndim < (3 if listed else 2) else reference.shape[-1]  # that one place has
    worst = _of_examples(errors.reshape(len(names), -1, values).max(axis=2), tolerance.far_off)
    magnitude = float(np.abs(reference).max(initial=0.0))
    large = tolerance.large * magnitude + LARGE_STEPS * step
    return OutputParity(
        output=output,
        examples=len(names),
        magnitude=magnitude,
        mean_error=float(errors.mean()),
        mean_bound=tolerance.mean * magnitude * (1 + len(names) ** -0.5) + MEAN_STEPS * step,  # few examples scatter
        largest_error=float(worst.max()),
        large_bound=large,
        far_off=int((worst > large).sum()),
        far_off_bound=_of(tolerance, names),
        worst_example=names[int(worst.argmax())],
    )


def _of_examples(places: np.ndarray, share: float) -> np.ndarray:
    """Return for each example the error that this share of its places may exceed; of a single place, its own."""
    import numpy as np

    count = places.shape[1]
    rank = count - 1 - min(int(share * count), count - 1)
    worst: np.ndarray = np.partition(places, rank, axis=1)[:, rank]
    return worst


def again_bound(quantization: Quantization, magnitude: float, step: float) -> float:
    """Return how far a second run may be from a stored output, in the output's unit."""
    return TOLERANCES[quantization].again * magnitude + AGAIN_STEPS * step
