"""Equal seeds give equal weights, bit for bit, on one kind of machine."""

from __future__ import annotations


def make_deterministic(seed: int, wanted: bool | None = None) -> bool:
    """Seed everything random and make TensorFlow's operators deterministic. Call it before the model is built.

    Args:
        seed: The seed.
        wanted: Whether operators shall be deterministic; None for yes on a CPU and no on a GPU.

    Returns:
        Whether they are.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed % 2**32)
    deterministic = not tf.config.list_physical_devices("GPU") if wanted is None else wanted
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return deterministic
