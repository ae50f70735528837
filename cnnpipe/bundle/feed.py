"""What a client does to a pixel before it writes it into the input tensor, and to an output before it reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import TensorFacts

if TYPE_CHECKING:
    import numpy as np

SCALE_TOLERANCE = 1e-3
"""Largest relative difference between the normalization's scale and that of the input tensor."""


@dataclass(frozen=True)
class Feed:
    """How an input tensor is filled: `stored = clip(round(pixel * multiply + add))`; float tensors are not rounded.

    Args:
        multiply: Factor.
        add: Added after the factor.
    """

    multiply: float = 1.0
    add: float = 0.0

    def apply(self, inputs: np.ndarray, dtype: str) -> np.ndarray:
        """Return inputs before normalization as the input tensor stores them."""
        import numpy as np

        values = inputs.astype(np.float32)
        if self != Feed():
            values = values * np.float32(self.multiply) + np.float32(self.add)
        if not np.issubdtype(np.dtype(dtype), np.integer):
            return values.astype(dtype)
        limits = np.iinfo(dtype)
        return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def feed_of(tensor: TensorFacts, normalization: tuple[float, float] | None) -> Feed:
    """Return how to fill an input tensor.

    Args:
        tensor: The file's input.
        normalization: Scale and offset that the tensor must carry; None when the network normalizes.

    Raises:
        ProblemError: The tensor's scale and zero point are not this normalization of the pixels 0 to 255.
    """
    if tensor.scale is None or tensor.zero_point is None:
        return Feed()
    if normalization is None:
        return Feed(1 / tensor.scale, tensor.zero_point)
    scale, offset = normalization
    add = -128 if tensor.dtype == "int8" else 0
    wanted = add - offset / scale
    if abs(tensor.scale / scale - 1) > SCALE_TOLERANCE or abs(tensor.zero_point - wanted) > 0.51:
        message = (
            f"the input tensor '{tensor.name}' does not carry the normalization: its scale {tensor.scale:.6g} and zero "
            f"point {tensor.zero_point} should be {scale:.6g} and {wanted:.4g}"
        )
        raise ProblemError(Problem(message))
    return Feed(1.0, float(add))


def dequantize(stored: np.ndarray, tensor: TensorFacts) -> np.ndarray:
    """Return an output as real values, float32.

    Args:
        stored: What the file gave.
        tensor: TensorFactsthing with `scale` and `zero_point`, as in `TensorFacts`.
    """
    import numpy as np

    if tensor.scale is None:
        return stored.astype(np.float32)
    return ((stored.astype(np.float32) - np.float32(tensor.zero_point)) * np.float32(tensor.scale)).astype(np.float32)
