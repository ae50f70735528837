"""Lists of things found: brought into one order before they are compared.

Row k of each output belongs to the k-th thing, the surest first. Of two that are nearly equally sure rounding decides
which comes first, and where a thing just reaches a threshold, whether it is there at all; that is no error of a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnpipe.bundle.parity import Tolerance

if TYPE_CHECKING:
    import numpy as np

    from cnnpipe.task import Arrays

LISTED = Tolerance(mean=2e-3, large=1e-2, far_off=0.02, again=0.02)
"""What is allowed even of a file in float: some rows that are there only here or only there."""


def in_order(found: Arrays, reference: Arrays) -> dict[str, np.ndarray]:
    """Return found lists with their rows in the order in which they are nearest to those of the reference.

    Args:
        found: Outputs by name: rows of values `(n, rows, ...)`, and others, which stay as they are.
        reference: The same outputs, in the order that counts.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    rows = [name for name, values in reference.items() if values.ndim > 1]
    ordered = {name: np.array(values) for name, values in found.items()}
    for example in range(len(next(iter(reference.values())))):
        wanted, here = (_table({name: of[name][example] for name in rows}, reference) for of in (reference, found))
        distances = np.abs(wanted[:, None] - here[None]).sum(-1)
        _, order = linear_sum_assignment(np.nan_to_num(distances, nan=1e9, posinf=1e9))
        for name in rows:
            ordered[name][example] = found[name][example][order]
    return ordered


def _table(lists: Arrays, reference: Arrays) -> np.ndarray:
    """Return all values of each row of one example, each output as a share of its magnitude."""
    import numpy as np

    parts = [
        values.reshape(len(values), -1) / max(float(np.abs(reference[name]).max()), 1e-9)
        for name, values in lists.items()
    ]
    return np.concatenate(parts, axis=1)
