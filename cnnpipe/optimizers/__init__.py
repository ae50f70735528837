"""Optimizers: specs of Keras's own classes, with Keras's names and defaults. One file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import keras


class Optimizer(Spec):
    """Base of all optimizers. A subclass names its Keras class in `keras_class`; its fields are the arguments."""

    type: str
    learning_rate: float
    """Step size."""

    def build(self) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer."""
        import keras

        arguments = self.model_dump(exclude={"type"})
        return getattr(keras.optimizers, self.keras_class)(**arguments)

    @property
    def keras_class(self) -> str:
        """Name of the class in `keras.optimizers`; that of the spec."""
        return type(self).__name__


ROOM = Room("optimizers", Optimizer)
AnyOptimizer = Annotated[Optimizer, Component("optimizers")]
