"""Augmentations: random changes of training examples. One file each; never part of the exported model.

A batch is a dictionary with Keras's keys, the batch axis first:

    images               (batch, height, width, channels), float32, 0..255
    labels               (batch, ...), whatever the task makes of them; floats wherever an augmentation mixes them
    bounding_boxes       {"boxes": (batch, n, 4), "labels": (batch, n)}: Keras's format "xyxy", left, top, right and
                         bottom in pixels, from 0 at the image's left or upper edge to its width or height at the other.
                         Images with fewer than n boxes are padded as Keras does it: label -1, and a box of zeros. A box
                         of which less than a pixel is left in the image becomes padding. Further keys, (batch, n),
                         stay with their boxes.
    segmentation_masks   (batch, height, width, 1), integers: the class of each pixel; 0 where an image has left
    instance_masks       (batch, height, width, 1), int32: k where the box of row k - 1 is seen, 0 for none of them
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec


class Augmentation(Spec):
    """Base of all augmentations. Class name, field names, meanings and defaults are those of a Keras layer.

    Keras's layers draw from generators of their own, and some do not what their documentation says; so each file has
    the arithmetic itself, a pure function of the batch and the seed, and says where it differs from the layer.
    """

    mixes_labels: ClassVar[bool] = False
    """Whether it averages the labels of several examples, so that they have to be in a form that may be averaged."""
    cannot_change: ClassVar[frozenset[str]] = frozenset()
    """Keys of the batch that would have to change with the images, and that it does not know how to change."""

    type: str

    def unfit(self, shape: tuple[int, ...], keys: frozenset[str]) -> str:
        """Return why this cannot change examples of this kind; empty when it can.

        Args:
            shape: Of one image: height, width, channels.
            keys: What a batch holds beside the images.
        """
        lost = sorted(self.cannot_change & keys)
        return f"it cannot change {' and '.join(lost)} with the images" if lost else ""

    def mirrors(self) -> frozenset[str]:
        """Return how it mirrors images, `horizontal` or `vertical` or both: their class may not survive that."""
        return frozenset()

    @abstractmethod
    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Return the batch changed; a pure function of the batch and the seed.

        Args:
            batch: Tensors by Keras's keys, as the room says.
            seed: A `keras.random.SeedGenerator` that draws the same numbers for the same training step.
        """


_Directed = Annotated[float, Field(ge=-1, le=1)]


def ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    """Return the bounds. Raises `ValueError` when the lower one is above the upper one."""
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound {bounds[0]} is above the upper bound {bounds[1]}")
    return bounds


Size = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole. For most changes a single one means both directions: 0.1 is (-0.1, 0.1)."""
Bounds = Annotated[tuple[_Directed, _Directed], AfterValidator(ordered)]
"""A lower and an upper bound, each a part of a whole with a direction."""
Sizes = Annotated[tuple[Size, Size], AfterValidator(ordered)]
"""A lower and an upper bound, each a part of a whole."""
ValueRange = Annotated[tuple[float, float], AfterValidator(ordered)]
"""The lowest and the highest value that a pixel can have."""
FillMode = Literal["constant", "nearest", "wrap", "reflect"]
"""What stands where an image has left: `fill_value`, its last pixel, its other side, or its mirror image."""
Interpolation = Literal["nearest", "bilinear"]
"""How values between pixels are computed."""

ROOM = Room("augmentations", Augmentation)
AnyAugmentation = Annotated[Augmentation, Component("augmentations")]
