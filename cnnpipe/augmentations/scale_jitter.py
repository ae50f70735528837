"""Makes each image larger or smaller, and cuts it to its size or fills it up, at a random place."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from cnnpipe.augmentations import FillMode, Interpolation, ordered
from cnnpipe.augmentations._geometry import GeometricAugmentation, affine

Scale = Annotated[float, Field(gt=0, le=10)]


class ScaleJitter(GeometricAugmentation):
    """Large scale jittering (Ghiasi et al. 2021, "Simple copy-paste", section 3), as torchvision names it."""

    also_called: ClassVar[tuple[str, ...]] = ("large_scale_jitter", "lsj", "random_scale", "random_size", "rescale")
    type: Literal["scale_jitter"] = "scale_jitter"
    scale: Annotated[tuple[Scale, Scale], AfterValidator(ordered)] = (0.1, 2.0)
    """Lower and upper bound of the factor of both sides; (0.8, 1.25) is the small jitter of the paper. Images are
    shrunk without averaging, so that small factors make them rough."""
    fill_mode: FillMode = "constant"
    """What stands around an image that was made smaller."""
    fill_value: float = 0.0
    """The value of `constant`, 0 to 255."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""

    def matrices(self, images: Any, seed: Any) -> Any:
        """Draw factors and places."""
        import keras

        shape, (height, width) = (keras.ops.shape(images)[0],), images.shape[1:3]
        scale = keras.random.uniform(shape, *self.scale, seed=seed)
        left, top = (keras.random.uniform(shape, seed=seed) * (1 - scale) * side for side in (width, height))
        part = 1 / scale
        return affine((part, 0.0, (0.5 - left) * part - 0.5), (0.0, part, (0.5 - top) * part - 0.5))
