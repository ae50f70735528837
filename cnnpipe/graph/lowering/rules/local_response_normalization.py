"""Normalization by near channels."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, lowers
from cnnpipe.graph.nodes.local_response_normalization import LocalResponseNormalization


@lowers(LocalResponseNormalization)
def local_response_normalization(node: LocalResponseNormalization, draft: Draft, reads: Sequence[Value]) -> Value:
    """The means of windows over the channels, as a map of its own, and reciprocal square roots for the power."""
    (value,) = reads
    _, height, width, channels = value.shape
    around, window = 2 * node.depth_radius, 2 * node.depth_radius + 1
    flat = (1, height * width, channels, 1)
    squares = draft.emit("RESHAPE", draft.emit("MUL", value, value), draft.integers(-1, *flat[1:]), shape=flat)
    pairs = ((0, 0), (node.depth_radius, node.depth_radius))
    table, wide = draft.table((0, 0), *pairs, (0, 0)), (*flat[:2], channels + around, 1)
    padded = draft.emit("PAD", squares, table, shape=wide, pairs=pairs)
    one = (1, 1)
    means = draft.emit(
        "AVERAGE_POOL_2D", padded, shape=flat, kernel=(1, window), strides=one, dilation=one, padding="valid"
    )
    scaled = draft.emit("MUL", means, draft.numbers((), node.alpha * window))
    sums = draft.emit("ADD", scaled, draft.numbers((), node.bias))
    root = draft.emit("RSQRT", draft.emit("RESHAPE", sums, draft.integers(-1, *value.shape[1:]), shape=value.shape))
    if node.beta == 0.75:
        root = draft.emit("MUL", draft.emit("MUL", draft.emit("RSQRT", root), root), root)
    return draft.emit("MUL", value, root)
