"""Optimizers: specs of Keras's own classes, with Keras's names and defaults. One file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator
from typing_extensions import Self

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import keras

CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
AVERAGING = ("ema_momentum", "ema_overwrite_frequency")


class Optimizer(Spec):
    """Base of all optimizers. A subclass names its Keras class in `keras_class`; its fields are the arguments."""

    type: str
    learning_rate: float = Field(default=1e-3, gt=0)
    """Step size; where a schedule begins."""
    weight_decay: float | None = Field(default=None, ge=0)
    """Share of the weights, times the learning rate, that each step takes away."""
    clipnorm: float | None = Field(default=None, gt=0)
    """Largest norm of the gradient of each weight tensor; a longer one is scaled down."""
    clipvalue: float | None = Field(default=None, gt=0)
    """Largest absolute value in a gradient."""
    global_clipnorm: float | None = Field(default=None, gt=0)
    """Largest norm of all gradients together; longer ones are scaled down."""
    use_ema: bool = False
    """Whether to keep moving averages of the weights; they are what is validated, kept and exported."""
    ema_momentum: float = Field(default=0.99, ge=0, lt=1)
    """Share of the old average in the new one."""
    ema_overwrite_frequency: int | None = Field(default=None, ge=1)
    """Updates after which the weights are set to their averages; when left out, only at the end."""
    gradient_accumulation_steps: int | None = Field(default=None, ge=2)
    """Steps whose mean gradient makes one update; an epoch is then a whole number of updates."""

    @model_validator(mode="after")
    def _one_clipping(self) -> Self:
        given = [f"'{key}'" for key in CLIPPING if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given, and only one kind of clipping is possible")
        return self

    def ignored_keys(self) -> dict[str, str]:
        """Only averages that are kept have a momentum."""
        return {} if self.use_ema else dict.fromkeys(AVERAGING, "because use_ema is false")

    def build(self, learning_rate: Any = None) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer.

        Args:
            learning_rate: A Keras schedule or a number in the place of the field of this name.
        """
        import keras

        arguments = self.model_dump(exclude={"type"})
        if learning_rate is not None:
            arguments["learning_rate"] = learning_rate
        return getattr(keras.optimizers, self.keras_class)(**arguments)

    @property
    def keras_class(self) -> str:
        """Name of the class in `keras.optimizers`; that of the spec."""
        return type(self).__name__


ROOM = Room("optimizers", Optimizer)
AnyOptimizer = Annotated[Optimizer, Component("optimizers")]
