"""Augmentations: random changes of training examples. One file each; never part of the exported model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import keras


class Augmentation(Spec):
    """Base of all augmentations. Class name, field names, meanings and defaults are those of a Keras layer."""

    mixes_labels: ClassVar[bool] = False
    """Whether it averages the labels of several examples, so that they have to be in a form that may be averaged."""

    type: str

    def ignored_keys(self) -> dict[str, str]:
        """Only the fill mode `constant` has a value."""
        mode = getattr(self, "fill_mode", "constant")
        return {} if mode == "constant" else {"fill_value": f"because fill_mode is {mode}"}

    def layer(self) -> keras.layers.Layer:
        """Return the Keras layer that has the name of this class; the fields are its arguments."""
        import keras

        return getattr(keras.layers, type(self).__name__)(**self.model_dump(exclude={"type"}))

    def apply(self, batch: Mapping[str, Any], layer: keras.layers.Layer, seed: Any) -> dict[str, Any]:
        """Return the batch changed; a pure function of the batch and the seed.

        Args:
            batch: Tensors by Keras's keys (`images`, `labels`, ...), batch axis first; images are float32, 0..255.
            layer: What `layer` returned.
            seed: A `keras.random.SeedGenerator` that draws the same numbers for the same training step.
        """
        images = batch["images"]
        change = layer.get_random_transformation(images, training=True, seed=seed)
        return {**batch, "images": layer.transform_images(images, change, training=True)}


_Directed = Annotated[float, Field(ge=-1, le=1)]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound {bounds[0]} is above the upper bound {bounds[1]}")
    return bounds


Size = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole. For most changes a single one means both directions: 0.1 is (-0.1, 0.1)."""
Bounds = Annotated[tuple[_Directed, _Directed], AfterValidator(_ordered)]
"""A lower and an upper bound, each a part of a whole with a direction."""
FillMode = Literal["constant", "nearest", "wrap", "reflect"]
"""What stands where an image has left: `fill_value`, its last pixel, its other side, or its mirror image."""
Interpolation = Literal["nearest", "bilinear"]
"""How values between pixels are computed."""

ROOM = Room("augmentations", Augmentation)
AnyAugmentation = Annotated[Augmentation, Component("augmentations")]
