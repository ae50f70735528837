"""Changes each image by operations that are drawn from a fixed list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.augmentations import Augmentation, Interpolation, Size, Sizes, ValueRange
from cnnpipe.augmentations._geometry import about_middle, move
from cnnpipe.augmentations._operations import OPERATIONS
from cnnpipe.augmentations._pixels import up_to

MOVES = 5
"""Changes of place that can be drawn: turn, slant along either axis, move along either axis."""
SHEAR, TRANSLATION, DEGREES = 0.3, 0.45, 30.0
"""The strongest changes of place: slant, share of the size, turn (Cubuk et al. 2019, AutoAugment, table 6)."""


class RandAugment(Augmentation):
    """`keras.layers.RandAugment` as the paper has it (Cubuk et al. 2020): 14 operations, drawn for each image.

    Keras's layer draws one operation for the whole batch, and turns by up to half a circle.
    """

    also_called: ClassVar[tuple[str, ...]] = ("randaugment", "rand_aug", "auto_augment", "autoaugment")
    type: Literal["rand_augment"] = "rand_augment"
    value_range: ValueRange = (0, 255)
    """Values that a pixel can have; results are kept inside."""
    num_ops: int = Field(default=2, ge=1, le=10)
    """Operations on each image, one after the other."""
    factor: Size | Sizes = 0.5
    """Strength, drawn for each operation: lower and upper bound, or one number f for 0 to f."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""

    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Draw operations, strengths and directions; then move what drew a change of place, and change the others."""
        import keras

        low, high = self.value_range
        changed, shape = dict(batch), (keras.ops.shape(batch["images"])[0],)
        for _ in range(self.num_ops):
            drawn = keras.random.randint(shape, 0, len(OPERATIONS) + MOVES, seed=seed)
            strength = keras.random.uniform(shape, *up_to(self.factor), seed=seed)
            strength *= keras.ops.sign(keras.random.uniform(shape, -1.0, 1.0, seed=seed))
            matrices = _matrices(changed["images"], drawn - len(OPERATIONS), strength)
            changed = move(changed, matrices, self.interpolation, "constant", (low + high) / 2)
            pixels = (changed["images"] - low) * (255 / (high - low))
            pixels = _by_operation(pixels, keras.ops.where(drawn < len(OPERATIONS), drawn, 0), strength)
            changed["images"] = keras.ops.clip(pixels, 0, 255) * ((high - low) / 255) + low
        return changed


def _matrices(images: Any, move: Any, strength: Any) -> Any:
    """Return the matrices of the moves 0 to 4, and those that leave an image in its place for all others."""
    import keras

    def where(number: int, value: Any) -> Any:
        return keras.ops.where(move == number, value, 0.0)

    height, width = images.shape[1:3]
    angle = where(0, strength * math.radians(DEGREES))
    cosine, sine = keras.ops.cos(angle), keras.ops.sin(angle)
    turned = about_middle(
        images, (cosine, where(1, strength * SHEAR) - sine), (where(2, strength * SHEAR) + sine, cosine)
    )
    right, down = (where(number, strength * TRANSLATION) for number in (3, 4))
    column, row = ([float(position == place) for position in range(8)] for place in (2, 5))
    return turned + right[:, None] * width * column + down[:, None] * height * row


def _by_operation(images: Any, drawn: Any, strength: Any) -> Any:
    """Apply each operation to the images that drew it, and to no others."""
    import tensorflow as tf

    count = len(OPERATIONS)
    positions = tf.dynamic_partition(tf.range(tf.shape(images)[0]), drawn, count)
    parts = tf.dynamic_partition(images, drawn, count)
    strengths = tf.dynamic_partition(tf.reshape(strength, (-1, 1, 1, 1)), drawn, count)
    changed = [operation(*arguments) for operation, *arguments in zip(OPERATIONS, parts, strengths, strict=True)]
    return tf.ensure_shape(tf.dynamic_stitch(positions, changed), images.shape)
