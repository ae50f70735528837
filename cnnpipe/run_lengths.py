"""Class maps as plain numbers that JSON can hold: runs of equal values, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def encode(mask: np.ndarray) -> dict[str, Any]:
    """Return a map of integers, `(height, width)`, as `size`, and the `values` and `lengths` of its runs."""
    import numpy as np

    flat = mask.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]])) if flat.size else np.zeros(0, int)
    lengths = np.diff(np.append(starts, flat.size))
    return {"size": list(mask.shape), "values": flat[starts].tolist(), "lengths": lengths.tolist()}


def decode(runs: Mapping[str, Any]) -> np.ndarray:
    """Return what `encode` was given, int32."""
    import numpy as np

    return np.repeat(np.asarray(runs["values"], np.int32), runs["lengths"]).reshape(runs["size"])
