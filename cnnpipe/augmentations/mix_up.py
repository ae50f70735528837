"""Mixes each image with another one of its batch, and their labels by the same shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.augmentations import Augmentation
from cnnpipe.augmentations._mixing import mixed, partners, shares


class MixUp(Augmentation):
    """`keras.layers.MixUp` (Zhang et al. 2018, section 2)."""

    mixes_labels: ClassVar[bool] = True
    cannot_change: ClassVar[frozenset[str]] = frozenset({"bounding_boxes", "instance_masks", "segmentation_masks"})
    also_called: ClassVar[tuple[str, ...]] = ("mixup", "mixup_alpha")
    type: Literal["mix_up"] = "mix_up"
    alpha: float = Field(default=0.2, gt=0)
    """Both parameters of the beta distribution of the shares: 0.2 mostly mixes little, 1 mixes by any share."""

    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Mix images and labels."""
        images = batch["images"]
        partner, share = partners(images, seed), shares(images, self.alpha, seed)
        return {
            **batch,
            "images": mixed(images, partner, share),
            "labels": mixed(batch["labels"], partner, share),
        }
