"""Signals in 1D as maps of one row: LiteRT's windows move over maps in 2D only."""

from __future__ import annotations

from typing import Any

from cnnpipe.graph.core import Shape, Window
from cnnpipe.graph.lowering.draft import Draft, Value


def as_2d(draft: Draft, value: Value) -> Value:
    """Return a signal as a map of one row, by RESHAPE; a map in 2D as it is."""
    if len(value.shape) == 4:
        return value
    shape = map_shape(value.shape)
    return draft.emit("RESHAPE", value, draft.integers(*shape), shape=shape)


def from_2d(draft: Draft, value: Value, shape: Shape) -> Value:
    """Return a map of one row as the signal of this shape, by RESHAPE; a map in 2D as it is."""
    return value if len(shape) == 4 else draft.emit("RESHAPE", value, draft.integers(*shape), shape=shape)


def map_shape(shape: Shape) -> Shape:
    """Return the shape of a map, or of a signal as a map of one row, the batch included."""
    return shape if len(shape) == 4 else (1, 1, *shape[1:])


def windows_2d(window: Window) -> dict[str, Any]:
    """Return a window as options of an operator on maps in 2D."""
    flat = (1,) * (2 - len(window.kernel))
    sizes = {"kernel": window.kernel, "strides": window.strides, "dilation": window.dilation}
    return {name: (*flat, *(int(size) for size in numbers)) for name, numbers in sizes.items()}
