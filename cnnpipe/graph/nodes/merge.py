"""Nodes that read several tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError


@dataclass(frozen=True)
class Add(NodeType):
    """`keras.layers.Add`: the sum, value by value; an axis of size 1 is repeated."""

    kind: ClassVar[str] = "add"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the common shape."""
        return _broadcast("added", inputs)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Add`."""
        return KerasLayer("Add", {})


@dataclass(frozen=True)
class Multiply(NodeType):
    """`keras.layers.Multiply`: the product, value by value; an axis of size 1 is repeated."""

    kind: ClassVar[str] = "multiply"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the common shape."""
        return _broadcast("multiplied", inputs)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Multiply`."""
        return KerasLayer("Multiply", {})


@dataclass(frozen=True)
class Concatenate(NodeType):
    """`keras.layers.Concatenate` along the channels."""

    kind: ClassVar[str] = "concatenate"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (spatial ..., sum of channels)."""
        if len({shape[:-1] for shape in inputs}) > 1:
            raise ShapeError(f"branches of {_list(inputs)} cannot be concatenated: they differ before the channels")
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Concatenate`."""
        return KerasLayer("Concatenate", {})


def _list(shapes: tuple[Shape, ...]) -> str:
    return ", ".join(text(shape) for shape in shapes[:-1]) + " and " + text(shapes[-1])


def _broadcast(word: str, shapes: tuple[Shape, ...]) -> Shape:
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"branches of {_list(shapes)} cannot be {word}: they differ in the number of axes")
    common = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    if any(n not in (1, size) for shape in shapes for n, size in zip(shape, common, strict=True)):
        raise ShapeError(f"branches of {_list(shapes)} cannot be {word}: their sizes differ")
    return common
