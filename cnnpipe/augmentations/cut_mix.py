"""Pastes a rectangle of another image of the batch into each, and mixes their labels by area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Augmentation, Size, Sizes
from cnnpipe.augmentations._mixing import mixed, partners, shares
from cnnpipe.augmentations._pixels import up_to
from cnnpipe.augmentations._rectangles import inside, rectangles


class CutMix(Augmentation):
    """`keras.layers.CutMix` (Yun et al. 2019, section 3), with shares of the pixels that were really pasted."""

    mixes_labels: ClassVar[bool] = True
    cannot_change: ClassVar[frozenset[str]] = frozenset({"bounding_boxes", "instance_masks"})
    also_called: ClassVar[tuple[str, ...]] = ("cutmix", "cutmix_alpha")
    type: Literal["cut_mix"] = "cut_mix"
    factor: Size | Sizes = 1.0
    """Bounds of the beta distribution's parameter, drawn for each batch; one number f means 0 to f. At (1, 1), as in
    the paper, rectangles of any area are as likely; the smaller the parameter, the more are nearly nothing or all."""

    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Paste into images and masks, and mix labels."""
        import keras

        images = batch["images"]
        alpha = keras.random.uniform((), *up_to(self.factor), seed=seed) + 1e-3
        side = keras.ops.sqrt(1.0 - shares(images, alpha, seed))
        pasted = inside(images, rectangles(images, side, side, seed))
        partner = partners(images, seed)
        changed = {
            key: keras.ops.where(pasted, keras.ops.take(batch[key], partner, axis=0), batch[key])
            for key in ("images", "segmentation_masks")
            if key in batch
        }
        kept = 1.0 - keras.ops.mean(keras.ops.cast(pasted, "float32"), axis=(1, 2, 3))
        return {**batch, **changed, "labels": mixed(batch["labels"], partner, kept)}
