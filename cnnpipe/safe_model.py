"""Opens `.keras` files of unknown origin: no code, no paths outside, no archive that unpacks to far more than it is."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.errors import Problem, ProblemError

if TYPE_CHECKING:
    import keras

MEMBERS = {"config.json": 1 << 26, "metadata.json": 1 << 20, "model.weights.h5": None}
"""What a Keras archive holds, and how many bytes of it are plausible (None: bounded by the file itself)."""
STORED_RATIO = 20
"""Weights hardly compress; an archive that unpacks to more than this times its size is no honest model."""


def load_keras(path: Path) -> keras.Model:
    """Return the model of a `.keras` file, uncompiled.

    Raises:
        ProblemError: It is no such file, is damaged, or asks for something unsafe.
    """
    check_archive(path)
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file can fail anywhere: in the archive, in its JSON, in HDF5
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ProblemError(Problem(f"{path} cannot be opened as a Keras model ({first})")) from error


def check_archive(path: Path) -> None:
    """Look at the members of a `.keras` file before any of them is unpacked. Raises `ProblemError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except OSError as error:
        raise ProblemError(Problem(f"{path} cannot be read ({error.strerror or error})")) from error
    except zipfile.BadZipFile as error:
        raise ProblemError(Problem(f"{path} is no Keras model file ({error})")) from error
    names = [member.filename for member in members]
    if unknown := sorted(set(names) - set(MEMBERS)):
        raise ProblemError(Problem(f"{path} holds what no Keras model holds: {', '.join(map(repr, unknown[:5]))}"))
    if missing := sorted(set(MEMBERS) - set(names)):
        raise ProblemError(Problem(f"{path} is no Keras model file (it lacks {', '.join(missing)})"))
    if len(names) > len(set(names)):
        raise ProblemError(Problem(f"{path} holds a member twice"))
    for member in members:
        limit = MEMBERS[member.filename] or STORED_RATIO * path.stat().st_size
        if member.file_size > limit:
            raise ProblemError(Problem(f"{path} would unpack {member.filename} to {member.file_size:,} bytes"))
