"""Attention, and the vectors of patches that it reads."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.core import Shape
from cnnpipe.graph.lowering.draft import Constant, Draft, Value, batched, lowers, values_in
from cnnpipe.graph.nodes.attention import MultiHeadAttention
from cnnpipe.graph.nodes.patch_embedding import PatchEmbedding
from cnnpipe.graph.nodes.permute import Permute


@lowers(MultiHeadAttention)
def multi_head_attention(node: MultiHeadAttention, draft: Draft, reads: Sequence[Value]) -> Value:
    """FULLY_CONNECTED four times, BATCH_MATMUL twice, SOFTMAX, and RESHAPE and TRANSPOSE for the heads."""
    (value,) = reads
    *apart, positions, channels = value.shape
    size = channels // node.num_heads
    if min(positions, size) == 1:
        raise draft.not_predicted("attention to one position, or with one channel for each head")
    if node.num_heads == 1 and apart != [1]:
        raise draft.not_predicted("attention of one head along one of several axes")
    heads = (*apart, positions, node.num_heads, size)
    scale = draft.numbers((), size**-0.5)
    rank = len(heads)
    by_head = (*range(rank - 3), rank - 2, rank - 3, rank - 1)
    key, query = _projected(draft, value, heads, "key"), _projected(draft, value, heads, "query")
    if apart != [1]:
        query = draft.emit("MUL", query, scale)
    query = transposed(draft, query, by_head)
    key = transposed(draft, key, (*range(rank - 3), rank - 2, rank - 1, rank - 3))
    products = values_in(value.shape) * positions
    seen = draft.emit("BATCH_MATMUL", query, key, shape=(*query.shape[:-1], positions), macs=products)
    if apart != [1]:
        seen = draft.emit("TRANSPOSE", seen, draft.integers(*range(rank - 2), rank - 1, rank - 2))
    else:
        seen = draft.emit("MUL", seen, scale)
    seen = draft.emit("SOFTMAX", seen)
    values = transposed(draft, _projected(draft, value, heads, "value"), by_head)
    mixed = transposed(draft, draft.emit("BATCH_MATMUL", seen, values, shape=values.shape, macs=products), by_head)
    joined = draft.emit("RESHAPE", mixed, draft.integers(*value.shape), shape=value.shape)
    return _dense(draft, joined, "output", channels)


def _projected(draft: Draft, value: Value, heads: Shape, name: str) -> Value:
    """Return the projection by heads. In more than one axis of positions biases are added after the channels parted."""
    joined = len(value.shape) == len((1, "positions", "channels"))
    projected = _dense(draft, value, name, value.shape[-1] if joined else 0)
    split = draft.emit("RESHAPE", projected, draft.integers(*heads), shape=heads)
    return split if joined else draft.emit("ADD", split, draft.numbers(heads[-2:], draft.node.name, name))


def _dense(draft: Draft, value: Value, name: str, biases: int) -> Value:
    channels = value.shape[-1]
    weights = draft.weights((channels, channels), channels, name)
    bias = Constant("bias", (biases,), (draft.node.name, name, "bias"), biases) if biases else None
    macs = values_in(value.shape) * channels
    return draft.emit("FULLY_CONNECTED", value, weights, bias, macs=macs, use_bias=bool(biases))


@lowers(PatchEmbedding)
def patch_embedding(node: PatchEmbedding, draft: Draft, reads: Sequence[Value]) -> Value:
    """FULLY_CONNECTED, and ADD for the vectors of positions."""
    (value,) = reads
    shape = value.shape[1:]
    if shape[0] == 1:
        raise draft.not_predicted("the embedding of one position")
    out, weights = node.output_shape(shape), draft.weights((node.units, shape[-1]), node.units)
    macs = node.macs(shape)
    product = draft.emit("FULLY_CONNECTED", value, weights, None, shape=batched(out), macs=macs, use_bias=False)
    return draft.emit("ADD", product, draft.numbers(out, draft.node.name, "positions"))


@lowers(Permute)
def permute(node: Permute, draft: Draft, reads: Sequence[Value]) -> Value:
    """TRANSPOSE."""
    return transposed(draft, reads[0], (0, *node.dims))


def transposed(draft: Draft, value: Value, order: tuple[int, ...]) -> Value:
    """Return a value with its axes in another order: by RESHAPE where only axes of size 1 move."""
    shape = tuple(value.shape[axis] for axis in order)
    large = [axis for axis in order if value.shape[axis] > 1]
    if large == sorted(large):
        return draft.emit("RESHAPE", value, draft.integers(*shape), shape=shape)
    return draft.emit("TRANSPOSE", value, draft.integers(*order), shape=shape)
