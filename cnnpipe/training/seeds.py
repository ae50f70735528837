"""Equal seeds give equal weights, bit for bit, on one kind of machine."""

from __future__ import annotations


def make_deterministic(seed: int) -> None:
    """Seed everything random and make TensorFlow's operators deterministic. Call it before the model is built."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed % 2**32)
    tf.config.experimental.enable_op_determinism()
