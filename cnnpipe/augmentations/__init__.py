"""Augmentations: random changes of training examples. One file each; never part of the exported model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import keras


class Augmentation(Spec):
    """Base of all augmentations. Field names, meanings and defaults are those of the Keras layer of the same name."""

    type: str

    @abstractmethod
    def layer(self) -> keras.layers.Layer:
        """Return the Keras preprocessing layer."""

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


ROOM = Room("augmentations", Augmentation)
AnyAugmentation = Annotated[Augmentation, Component("augmentations")]
