"""What augmentations share that mix each image of a batch with another one, and their labels by the same shares."""

from __future__ import annotations

from typing import Any


def partners(images: Any, seed: Any) -> Any:
    """Return for each image the position of the one that it is mixed with, (batch,); now and then itself."""
    import keras

    return keras.random.shuffle(keras.ops.arange(keras.ops.shape(images)[0]), seed=seed)


def shares(images: Any, alpha: Any, seed: Any) -> Any:
    """Return for each image a draw of the distribution Beta(alpha, alpha), (batch,).

    As logarithms of two gamma draws: of small ones, which are likely below 0.1, the plain quotient is 0 / 0.
    """
    import keras

    shape = (keras.ops.shape(images)[0],)
    first, second = (
        keras.ops.log(keras.random.gamma(shape, alpha + 1.0, seed=seed))
        + keras.ops.log(keras.random.uniform(shape, keras.backend.epsilon(), 1.0, seed=seed)) / alpha
        for _ in range(2)
    )
    return keras.ops.sigmoid(first - second)


def mixed(values: Any, partner: Any, share: Any) -> Any:
    """Return values of which `share` is left and the rest is the partner's; floats of any rank, batch axis first."""
    import keras

    share = keras.ops.reshape(share, (-1, *(1 for _ in values.shape[1:])))
    return share * values + (1.0 - share) * keras.ops.take(values, partner, axis=0)
