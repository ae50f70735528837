"""Preprocessing: what is always done to an example before the model sees it, in training and on the device."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.placement import Placement
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import numpy as np

PerChannel = float | tuple[float, ...]
"""One number, or one per channel."""


class Preprocessing(Spec):
    """Base of all kinds of preprocessing. `apply` is the one function that everything uses; it needs no TensorFlow."""

    key: ClassVar[str]
    """The key of the example that it reads, such as `images`."""

    type: str

    @abstractmethod
    def input_shape(self) -> Shape:
        """Return the shape of what `apply` returns, without the batch."""

    @abstractmethod
    def apply(self, raw: Any) -> np.ndarray:
        """Turn one raw example (bytes of a file, or an array) into the model's input, before normalization."""

    def placed(self, example: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a raw example with boxes and masks moved to where `apply` puts the picture."""
        return example

    def placement(self, raw: Any) -> Placement | None:
        """Return where `apply` puts a picture; None where there are no places."""
        return None

    def apply_for_training(self, raw: Any) -> np.ndarray:
        """Do as `apply` for an example that is only trained on; may be faster, and then nearly the same.

        Everything that is measured, calibrated, exported or predicted goes through `apply`.
        """
        return self.apply(raw)

    @abstractmethod
    def input_nodes(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the normalization to the graph, right after its input."""

    @abstractmethod
    def normalized(self, scale: PerChannel, offset: PerChannel) -> Preprocessing:
        """Return this with the normalization `value * scale + offset`, when it states none of its own."""

    def for_channels(self, channels: int) -> Preprocessing | None:
        """Return this for a client that feeds so many channels; None where that changes nothing, or cannot be."""
        return None

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what a client must do before calling the model, for bundle.json."""


ROOM = Room("preprocessing", Preprocessing)
AnyPreprocessing = Annotated[Preprocessing, Component("preprocessing", default="image")]
