"""Cuts a random part out of each image and enlarges it to the whole."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from cnnpipe.augmentations import Interpolation, Sizes, ordered
from cnnpipe.augmentations._geometry import GeometricAugmentation, affine

Ratio = Annotated[float, Field(gt=0)]


class RandomResizedCrop(GeometricAugmentation):
    """The crop of Szegedy et al. 2015 (section 6), as torchvision names it; Keras has none that keeps the size."""

    also_called: ClassVar[tuple[str, ...]] = ("random_crop", "crop", "random_crop_and_resize", "inception_crop")
    type: Literal["random_resized_crop"] = "random_resized_crop"
    scale: Sizes = (0.08, 1.0)
    """Lower and upper bound of the part, as a share of the image's area. Small things are lost by small parts."""
    ratio: Annotated[tuple[Ratio, Ratio], AfterValidator(ordered)] = (3 / 4, 4 / 3)
    """Lower and upper bound of the part's width divided by its height; (1, 1) distorts nothing."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""

    def matrices(self, images: Any, seed: Any) -> Any:
        """Draw area, aspect ratio and place of the parts; a side longer than the image's is cut to it."""
        import keras

        shape, (height, width) = (keras.ops.shape(images)[0],), images.shape[1:3]
        area = keras.random.uniform(shape, *self.scale, seed=seed) * (height * width)
        ratio = keras.ops.exp(keras.random.uniform(shape, *map(math.log, self.ratio), seed=seed))
        rows = keras.ops.clip(keras.ops.sqrt(area / ratio), 1, height)
        columns = keras.ops.clip(keras.ops.sqrt(area * ratio), 1, width)
        top = keras.random.uniform(shape, seed=seed) * (height - rows)
        left = keras.random.uniform(shape, seed=seed) * (width - columns)
        down, right = rows / height, columns / width
        # half a pixel: the edges of the part become those of the image, not the middles of the outermost pixels
        return affine((right, 0.0, left + 0.5 * right - 0.5), (0.0, down, top + 0.5 * down - 0.5))
