"""The golden samples that go onto a device: as many as its flash can spare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import InputEntry, Manifest, OutputEntry, read_parity

if TYPE_CHECKING:
    import numpy as np

MOST_SAMPLES, MOST_BYTES = 4, 64 * 1024


@dataclass(frozen=True)
class Samples:
    """Golden samples.

    Args:
        names: Their names.
        values: Inputs and outputs as the tensors store them, by tensor name, one sample after another.
    """

    names: Sequence[str]
    values: Mapping[str, np.ndarray]


def load(folder: Path, manifest: Manifest) -> Samples:
    """Return the first golden samples: at most four, and one at least, with inputs of 64 KiB together.

    Raises:
        ProblemError: A file with samples is missing or damaged.
    """
    values = _read(folder, (*manifest.inputs, *manifest.outputs))
    each = sum(values[entry.name][:1].nbytes for entry in manifest.inputs)
    count = max(1, min(MOST_SAMPLES, MOST_BYTES // max(each, 1)))
    names = [sample.name for sample in read_parity(folder).samples]
    return Samples(names[:count], {name: found[:count] for name, found in values.items()})


def _read(folder: Path, entries: Sequence[InputEntry | OutputEntry]) -> dict[str, np.ndarray]:
    import numpy as np

    try:
        return {entry.name: np.load(folder / Path(entry.sample).name, allow_pickle=False) for entry in entries}
    except (OSError, ValueError, EOFError) as error:
        raise ProblemError(Problem(f"the golden samples cannot be read ({error})")) from None
