"""The 1,797 handwritten digits that scikit-learn carries (Alpaydin and Kaynak 1998, UCI, https://doi.org/10.24432/C50P49)."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe.datasets import Dataset, Example, Examples

if TYPE_CHECKING:
    import numpy as np


class Digits(Dataset):
    """8x8 grayscale pictures of the digits 0 to 9; their 17 gray levels are spread over 0..255."""

    also_called: ClassVar[tuple[str, ...]] = ("mnist", "load_digits", "sklearn", "optdigits", "handwritten_digits")
    type: Literal["digits"] = "digits"

    def class_names(self) -> tuple[str, ...]:
        """Return `0` to `9`."""
        return tuple("0123456789")

    def open(self, folder: Path) -> Examples:
        """List the examples in scikit-learn's order; their names are their numbers in it."""
        rows = _rows()
        images = ((rows[:, :64] * 255 + 8) // 16).astype("uint8").reshape(-1, 8, 8)
        names = self.class_names()
        return Examples(
            tuple(
                Example(f"{number:04d}", None, partial(_read, images[number], names[rows[number, 64]]))
                for number in range(len(rows))
            ),
            names,
        )


def _read(image: np.ndarray, label: str) -> dict[str, Any]:
    return {"images": image, "labels": label}


def _rows() -> np.ndarray:
    """Return one row of 64 gray levels 0..16 and the digit for each example.

    The file is read without importing scikit-learn, which takes longer than training an epoch on it.
    """
    import numpy as np

    package = importlib.util.find_spec("sklearn")
    for location in (package and package.submodule_search_locations) or ():
        file = Path(location, "datasets", "data", "digits.csv.gz")
        if file.is_file():
            return np.loadtxt(file, delimiter=",", dtype=np.int64)
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.column_stack([digits.data, digits.target]).astype(np.int64)
