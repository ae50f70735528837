"""Normalization by statistics of the example itself."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.core import Shape
from cnnpipe.graph.lowering.draft import Constant, Draft, Value, lowers
from cnnpipe.graph.nodes.normalization import GroupNormalization, LayerNormalization


@lowers(LayerNormalization)
def layer_normalization(node: LayerNormalization, draft: Draft, reads: Sequence[Value]) -> Value:
    """MEAN, NEG and SQUARED_DIFFERENCE for the statistics, then factor and offset."""
    (value,) = reads
    axes, one = draft.integers(len(value.shape) - 1), (*value.shape[:-1], 1)
    mean = draft.emit("MEAN", value, axes, shape=one, keepdims=True)
    negative = draft.emit("NEG", mean)
    variance = draft.emit("MEAN", draft.emit("SQUARED_DIFFERENCE", value, mean), axes, shape=one, keepdims=True)
    channels = (*(1 for _ in value.shape[:-1]), value.shape[-1])
    return _normalized(node, draft, value, negative, variance, channels)


@lowers(GroupNormalization)
def group_normalization(node: GroupNormalization, draft: Draft, reads: Sequence[Value]) -> Value:
    """The same over groups of channels, which a RESHAPE sets apart."""
    (value,) = reads
    apart = (*value.shape[:-1], node.groups, value.shape[-1] // node.groups)
    split = draft.emit("RESHAPE", value, draft.integers(*apart), shape=apart)
    last = len(apart) - 1
    axes = draft.integers(*(axis for axis in range(1, last + 1) if axis != last - 1))
    one = (*(1 for _ in apart[:-2]), node.groups, 1)
    mean = draft.emit("MEAN", split, axes, shape=one, keepdims=True)
    negative = draft.emit("NEG", mean)
    squares = draft.emit("SQUARE", draft.emit("SUB", split, mean))
    variance = draft.emit("MEAN", squares, axes, shape=one, keepdims=True)
    channels = (*(1 for _ in apart[:-2]), *apart[-2:])
    normalized = _normalized(node, draft, split, negative, variance, channels)
    return draft.emit("RESHAPE", normalized, draft.integers(*value.shape), shape=value.shape)


def _normalized(
    node: LayerNormalization | GroupNormalization,
    draft: Draft,
    value: Value,
    negative: Value,
    variance: Value,
    channels: Shape,
) -> Value:
    factor = draft.emit("RSQRT", draft.emit("ADD", variance, draft.numbers((), node.epsilon)))
    if node.scale:
        factor = draft.emit("MUL", factor, _weight(draft, channels, "gamma"), shape=_common(factor.shape, channels))
    offset = draft.emit("MUL", negative, factor, shape=_common(negative.shape, factor.shape))
    if node.center:
        offset = draft.emit("ADD", offset, _weight(draft, channels, "beta"), shape=_common(offset.shape, channels))
    return draft.emit("ADD", draft.emit("MUL", value, factor), offset)


def _weight(draft: Draft, shape: Shape, name: str) -> Constant:
    return draft.numbers(shape, draft.node.name, name)


def _common(one: Shape, other: Shape) -> Shape:
    return tuple(max(pair) for pair in zip(one, other, strict=True))
