"""TensorFlow and Keras without the noise that no user can act on."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STDERR = 2


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Hold back everything written to standard error, also by C++ code; show it when the block fails.

    A redirect of the file descriptor: no environment variable silences all of TensorFlow's messages.
    """
    with suppress(AttributeError, ValueError):  # no usable stderr, as in some notebooks
        sys.stderr.flush()
    try:
        saved = os.dup(STDERR)
    except OSError:  # the process was started without a standard error
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        except BaseException:
            os.dup2(saved, STDERR)
            held.seek(0)
            os.write(STDERR, held.read())
            raise
        finally:
            os.dup2(saved, STDERR)
            os.close(saved)


def quiet_tensorflow() -> None:
    """Import TensorFlow and Keras in silence. Call it before anything else imports them; again costs nothing."""
    if "keras" in sys.modules and "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with silent_stderr():
        import keras  # noqa: F401
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
