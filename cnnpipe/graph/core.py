"""The graph's data: node types, nodes and graphs. Everything is frozen."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnnpipe.errors import Place

Shape = tuple[int, ...]
"""Size of a tensor without the batch: spatial axes first, channels last. `(32, 32, 3)` is an image, `(9,)` a vector."""


class ShapeError(ValueError):
    """A node cannot take these inputs.

    Args:
        message: What does not fit, with the arithmetic that shows it.
        hint: What to do next, as a sentence of its own; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Window:
    """What one output value of a node reads, per spatial axis: `kernel` values, `dilation` apart, moved by `strides`.

    `strides` below 1 (as fractions) belong to nodes that enlarge: 0.5 doubles the size.
    """

    kernel: tuple[int, ...]
    strides: tuple[float, ...]
    dilation: tuple[int, ...]


@dataclass(frozen=True)
class KerasLayer:
    """The Keras layer that a node is, as data.

    Args:
        class_name: A class name of `keras.layers`, or of `cnnpipe.layers` with its module.
        config: Its arguments without `name`.
        again: Name of an earlier node whose layer is called again, in the place of a new one; empty for a new one.
        arguments: Further arguments of the call.
        copies: How often the layer is handed its only input, as arguments of their own: 2 for self-attention.
    """

    class_name: str
    config: Mapping[str, Any]
    again: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    copies: int = 1


@dataclass(frozen=True)
class NodeType(ABC):
    """What a node does. A subclass is a frozen dataclass of options, and says here all that is known about it.

    The shapes handed to its methods are those of its inputs, without the batch.
    """

    kind: ClassVar[str]
    """Name in tables and in layer names, such as `convolution`."""
    random: ClassVar[bool] = False
    """Whether it draws random numbers while training, unless its layer is called with `training=False`."""
    only_in_float: ClassVar[str] = ""
    """Why its activations cannot be quantized and LiteRT Micro cannot run it, as a clause; empty where they may."""

    @abstractmethod
    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the output. Raises `ShapeError` when the inputs do not fit."""

    @abstractmethod
    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the Keras layer that computes this node."""

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return the shapes of all weights by Keras's names, in Keras's order, non-trainable ones included."""
        return {}

    def macs(self, *inputs: Shape) -> int:
        """Return multiply-adds of convolutions, dense and attention products for one example; biases do not count."""
        return 0

    def working_values(self, *inputs: Shape) -> int:
        """Return about how many values are alive inside of it at most, beside its inputs and its output."""
        return 0

    def window(self, *inputs: Shape) -> Window | None:
        """Return what one output value reads, or None when it reads its whole input."""
        rank = max(len(inputs[0]) - 1, 0)
        return Window((1,) * rank, (1,) * rank, (1,) * rank)


@dataclass(frozen=True)
class Node:
    """One layer of a network.

    Args:
        name: Unique, of fixed width, in graph order: `n012_convolution`. The converter sorts by names.
        type: What it does.
        inputs: Positions of the nodes that it reads.
        shape: Shape of its output.
        block: The user's name for the block that made it: its `name`, else its path below `model`.
        path: Dotted recipe path of the block that made it.
        place: Where that block stands in the recipe.
    """

    name: str
    type: NodeType
    inputs: tuple[int, ...]
    shape: Shape
    block: str = ""
    path: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class Graph:
    """A network: nodes in an order in which each reads only earlier ones.

    Args:
        nodes: All nodes, inputs first.
        inputs: Positions of the input nodes, by the tensor's name.
        outputs: Positions of the output nodes, by the tensor's name.
        features: Positions of the feature maps of the model, by level: `P3` has stride 2**3.
    """

    nodes: tuple[Node, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    features: Mapping[str, int] = field(default_factory=dict)

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """Return the shapes that a node reads."""
        return tuple(self.nodes[position].shape for position in node.inputs)

    def parameters(self, node: Node) -> int:
        """Return the number of weights of one node, non-trainable ones included."""
        return count(node.type.weights(*self.input_shapes(node)).values())

    def macs(self, node: Node) -> int:
        """Return the multiply-adds of one node for one example."""
        return node.type.macs(*self.input_shapes(node))


def count(shapes: Iterable[Shape]) -> int:
    """Return the number of values in tensors of these shapes."""
    return sum(math.prod(shape) for shape in shapes)
