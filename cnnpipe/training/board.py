"""TensorBoard's event files: a scalar for each column of the history, by epoch; each phase is a curve of its name.

They are made from `history.csv` whenever a process begins to train, so they never say an epoch twice.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cnnpipe import files
from cnnpipe.errors import ProblemError
from cnnpipe.runs import Run
from cnnpipe.training.history import PHASE

FOLDER = "tensorboard"
VERSION = "brain.Event:2"
NO_SCALARS = (PHASE, "epoch")


class Board:
    """Writes the event files of a run.

    Args:
        run: The run.
        rows: The epochs so far.
    """

    def __init__(self, run: Run, rows: Iterable[Mapping[str, Any]]) -> None:
        self._folder = run.folder / FOLDER
        self._writers: dict[str, Any] = {}
        for file in self._folder.rglob("events.out.tfevents.*"):
            with suppress(OSError):
                file.unlink()
        for row in rows:
            self.add(row)

    def add(self, row: Mapping[str, Any]) -> None:
        """Write the scalars of an epoch. Raises `ProblemError` when they cannot be written."""
        import tensorflow as tf

        values = [
            tf.compat.v1.Summary.Value(tag=name, simple_value=value)
            for name, value in row.items()
            if name not in NO_SCALARS
        ]
        event = tf.compat.v1.Event(wall_time=time.time(), step=row["epoch"], summary=tf.compat.v1.Summary(value=values))
        with _told_as_problem(self._folder):
            writer = self._writer(str(row.get(PHASE, "")))
            writer.write(event.SerializeToString())
            writer.flush()

    def close(self) -> None:
        """Close all files. Nothing is left to be written: what could not be written was told."""
        for writer in self._writers.values():
            with suppress(ProblemError), _told_as_problem(self._folder):
                writer.close()

    def _writer(self, phase: str) -> Any:
        if phase not in self._writers:
            self._writers[phase] = _new_file(self._folder / phase)
        return self._writers[phase]


def _new_file(folder: Path) -> Any:
    import tensorflow as tf

    path = folder / f"events.out.tfevents.{int(time.time()):010d}.cnnpipe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.writing_failed(path, error) from error
    writer = tf.io.TFRecordWriter(str(path))
    writer.write(tf.compat.v1.Event(wall_time=time.time(), file_version=VERSION).SerializeToString())
    return writer


@contextmanager
def _told_as_problem(folder: Path) -> Iterator[None]:
    """Raise `ProblemError` where TensorFlow's files raise errors of their own kind."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        numbers = {tf.errors.RESOURCE_EXHAUSTED: errno.ENOSPC, tf.errors.PERMISSION_DENIED: errno.EACCES}
        raise files.writing_failed(folder / "events", OSError(numbers.get(error.error_code), error.message)) from error
