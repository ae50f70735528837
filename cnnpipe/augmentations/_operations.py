"""The operations of RandAugment that move nothing, as those of the Python Imaging Library do them.

Each takes images of 0..255, (n, height, width, channels), float32, and how strongly to change them: (n, 1, 1, 1), from
0 to 1, and below 0 in the other direction; and returns the images changed, not yet cut to 0..255.
"""

from __future__ import annotations

from typing import Any

LUMINANCE = (0.299, 0.587, 0.114)
BLEND = 0.9
"""By how much the strongest blend differs from the image."""
POSTERIZED_BITS = 4
"""How many of 8 bits the strongest posterization takes away."""


def identity(images: Any, strength: Any) -> Any:
    """Leave the images as they are."""
    return images


def brightness(images: Any, strength: Any) -> Any:
    """Move from black, or towards it."""
    return images * (1 + BLEND * strength)


def contrast(images: Any, strength: Any) -> Any:
    """Move from the mean gray of an image, or towards it."""
    import keras

    return _blend(keras.ops.mean(_gray(images), axis=(1, 2, 3), keepdims=True), images, strength)


def color(images: Any, strength: Any) -> Any:
    """Move from the gray image, or towards it; gray images stay."""
    return _blend(_gray(images), images, strength)


def sharpness(images: Any, strength: Any) -> Any:
    """Move from the smoothed image, or towards it; the outermost pixels stay."""
    import keras

    smooth = keras.ops.average_pool(images, 3, 1, "valid") * (9 / 13) + images[:, 1:-1, 1:-1] * (4 / 13)
    inner = keras.ops.pad(smooth - images[:, 1:-1, 1:-1], ((0, 0), (1, 1), (1, 1), (0, 0)))
    return _blend(images + inner, images, strength)


def posterize(images: Any, strength: Any) -> Any:
    """Keep the upper 8 to 4 bits of each value."""
    import keras

    step = 2.0 ** keras.ops.round(POSTERIZED_BITS * keras.ops.abs(strength))
    return keras.ops.floor(images / step) * step


def solarize(images: Any, strength: Any) -> Any:
    """Invert values above a threshold; at full strength all."""
    import keras

    return keras.ops.where(images >= 256 * (1 - keras.ops.abs(strength)), 255 - images, images)


def auto_contrast(images: Any, strength: Any) -> Any:
    """Stretch each channel to 0..255."""
    import tensorflow as tf

    low, high = (reduce(images, axis=(1, 2), keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
    return tf.where(high > low, (images - low) * 255 / tf.maximum(high - low, 1e-3), images)


def equalize(images: Any, strength: Any) -> Any:
    """Spread the values of each channel so that all levels are as frequent."""
    import tensorflow as tf

    levels = tf.cast(tf.clip_by_value(images, 0.0, 255.0), tf.int32)
    rows = tf.reshape(tf.transpose(levels, (0, 3, 1, 2)), (-1, images.shape[1] * images.shape[2]))
    histograms = tf.math.bincount(rows, minlength=256, maxlength=256, axis=-1)
    below = tf.cumsum(histograms, axis=1, exclusive=True)
    # pixels of the brightest level do not count, so that it stays the brightest; too few pixels stay as they are
    step = tf.reduce_max(tf.where(histograms > 0, below, 0), axis=1, keepdims=True) // 255
    table = tf.minimum((step // 2 + below) // tf.maximum(step, 1), 255)
    spread = tf.where(step > 0, tf.gather(table, rows, batch_dims=1), rows)
    height, width, channels = images.shape[1:]
    return tf.cast(tf.transpose(tf.reshape(spread, (-1, channels, height, width)), (0, 2, 3, 1)), tf.float32)


def _gray(images: Any) -> Any:
    import keras

    if images.shape[-1] != len(LUMINANCE):
        return images
    return keras.ops.sum(images * keras.ops.convert_to_tensor(LUMINANCE), axis=-1, keepdims=True)


def _blend(other: Any, images: Any, strength: Any) -> Any:
    """Return a point on the line from `other` to the images: at -1 near the former, at 1 as far beyond the latter."""
    return other + (images - other) * (1 + BLEND * strength)


OPERATIONS = (identity, auto_contrast, equalize, solarize, color, posterize, contrast, brightness, sharpness)
