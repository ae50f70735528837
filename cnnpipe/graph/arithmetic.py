"""Sizes of what a sliding window leaves, written by rank: 1D, 2D and 3D are the same lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cnnpipe.graph.core import KerasLayer, Shape, ShapeError

Size = int | tuple[int, ...]
"""One number for every spatial axis, or one per axis."""
Padding = Literal["same", "valid", "causal"]
"""`same` as TensorFlow means it: ceil(n / strides) values come out, and what is missing is split, the odd one last."""


def text(shape: Sequence[int]) -> str:
    """Return a shape as people write it: `112x112x32`."""
    return "x".join(str(n) for n in shape)


def a_map(size: Sequence[int]) -> str:
    """Return the size of a map in a sentence: `a 7x7 map`, `an 8x8 map`."""
    words = text(size)
    vowel = words.startswith("8") or words.split("x")[0] in ("11", "18")
    return f"{'an' if vowel else 'a'} {words} map"


def per_axis(size: Size, rank: int, word: str) -> tuple[int, ...]:
    """Return one number per spatial axis.

    Raises:
        ShapeError: `size` has another number of axes than the map.
    """
    if isinstance(size, int):
        return (size,) * rank
    if len(size) != rank:
        raise ShapeError(f"{word} {list(size)} has {len(size)} numbers for a map in {rank}D")
    return tuple(size)


def spatial(shape: Shape, does: str, ranks: Sequence[int] = (1, 2, 3)) -> tuple[int, ...]:
    """Return the spatial part of a map.

    Raises:
        ShapeError: There is none, or Keras has no layer for so many axes.
    """
    rank = len(shape) - 1
    if rank < 1:
        raise ShapeError(
            f"{does} a map, received a vector of {text(shape)} values without spatial axes",
            "Put it before flatten and global pooling.",
        )
    if rank not in ranks:
        known = " or ".join(f"{r}D" for r in ranks)
        raise ShapeError(f"{does} a map in {known}, received {rank}D: {text(shape)}")
    return shape[:-1]


def windows(
    size: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    does: str,
) -> tuple[int, ...]:
    """Return how many positions a window has on each axis.

    That is floor((n - d(k - 1) - 1) / s) + 1 for `valid`, and ceil(n / s) for `same` and `causal`.

    Raises:
        ShapeError: Nothing is left on some axis; the message shows the arithmetic.
    """
    if padding != "valid":
        return tuple(-(-n // s) for n, s in zip(size, strides, strict=True))
    left = []
    for n, k, s, d in zip(size, kernel, strides, dilation, strict=True):
        count = (n - d * (k - 1) - 1) // s + 1
        if count < 1:
            reach = str(k) if d == 1 else f"{d}*({k} - 1) - 1"
            raise ShapeError(
                f"{does} {text(kernel)} over {a_map(size)}: floor(({n} - {reach})/{s}) + 1 = {count}",
                "Make the map larger (a larger input, less pooling and smaller strides before), or the window smaller.",
            )
        left.append(count)
    return tuple(left)


def enlarged(n: int, kernel: int, stride: int, padding: Padding) -> int:
    """Return the size after a transposed convolution: n s, for `valid` plus what the kernel reaches beyond."""
    return n * stride + (max(kernel - stride, 0) if padding == "valid" else 0)


def layer(class_name: str, config: Mapping[str, Any], **changed: tuple[Any, Any]) -> KerasLayer:
    """Return a Keras layer as data. `changed` holds (value, Keras's default); what equals the default is left out."""
    rest = {name: value for name, (value, default) in changed.items() if value != default}
    return KerasLayer(class_name, {**config, **rest})
