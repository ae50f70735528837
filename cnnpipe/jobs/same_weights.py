"""Whether two trained models are the same, bit for bit."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.jobs.trained import MODEL
from cnnpipe.runs import Run
from cnnpipe.safe_model import check_archive

WEIGHTS = "model.weights.h5"


def same_weights(old: Run, new: Run) -> bool | None:
    """Return whether two models have the same weights, bit for bit; None when one of the runs has no model."""
    files = [run.folder / MODEL for run in (old, new)]
    if not all(file.is_file() for file in files):
        return None
    return _digest(files[0]) == _digest(files[1])


def _digest(file: Path) -> str:
    """Return the sha256 of all arrays of a `.keras` file: the file itself also holds the time of writing."""
    import h5py

    check_archive(file)
    total = hashlib.sha256()

    def add(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            array = item[()]
            total.update(f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes())

    try:
        with zipfile.ZipFile(file) as archive, h5py.File(io.BytesIO(archive.read(WEIGHTS))) as weights:
            weights.visititems(add)
    except (OSError, zipfile.BadZipFile) as error:
        raise ProblemError(Problem(f"{file} is damaged ({error})")) from error
    return total.hexdigest()
