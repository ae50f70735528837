"""Attention, patches and their positions, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.build import build_model, get_weights, set_weights
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.attention import MultiHeadAttention
from cnnpipe.graph.nodes.patch_embedding import PatchEmbedding
from cnnpipe.model import Model


def chain(shape, *nodes):
    graph = GraphBuilder()
    tensor = graph.input("image", shape)
    for node in nodes:
        tensor = graph.add(node, tensor)
    return graph.build({"output": tensor})


def model_of(graph, seed=0):
    """Return the model with weights that differ, and these by node."""
    random = np.random.default_rng(seed)
    model = build_model(graph)
    weights = {name: [random.normal(size=a.shape) for a in arrays] for name, arrays in get_weights(model).items()}
    set_weights(model, weights)
    return model, weights


def attention(x, weights, heads):
    """Return the output for a sequence (positions, channels), and the number of products of two values."""
    query, query_bias, key, key_bias, value, value_bias, output, output_bias = weights
    positions, channels = x.shape
    result, count = np.zeros_like(x) + output_bias, 0
    for head in range(heads):
        q, k, v = (x @ w[:, head] + b[head] for w, b in ((query, query_bias), (key, key_bias), (value, value_bias)))
        size = q.shape[1]
        count += 3 * positions * channels * size
        for i in range(positions):
            scores = np.array([sum(q[i, c] * k[j, c] for c in range(size)) for j in range(positions)]) / size**0.5
            shares = np.exp(scores) / np.exp(scores).sum()
            mixed = sum(shares[j] * v[j] for j in range(positions))
            count += 2 * positions * size
            result[i] += mixed @ output[head]
            count += size * channels
    return result, count


@pytest.mark.parametrize(("shape", "heads"), [((5, 6), 2), ((4, 3), 1), ((3, 4, 6), 3)])
def test_attention_and_its_products(shape, heads):
    node = MultiHeadAttention(heads)
    graph = chain(shape, node)
    model, weights = model_of(graph)
    (arrays,) = weights.values()
    assert [array.shape for array in arrays] == list(node.weights(shape).values())
    x = np.random.default_rng(1).normal(size=shape)
    rows = [attention(row, arrays, heads) for row in x.reshape(-1, *shape[-2:])]
    expected = np.reshape([row for row, _ in rows], shape)
    np.testing.assert_allclose(model(x[None].astype("float32"))[0], expected, atol=1e-4)
    assert node.macs(shape) == sum(count for _, count in rows)


def test_patches_times_a_matrix_plus_their_positions():
    block = {"type": "patch_embedding", "hidden_size": 3, "patch_size": (2, 3)}
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": (block,)}).expand(builder, builder.input("image", (4, 6, 2)))
    model, weights = model_of(builder.build({"output": tensor}))
    ((kernel, bias),) = weights.values()
    image = np.random.default_rng(1).normal(size=(4, 6, 2))
    expected = [bias[0]]
    for down in range(2):
        for across in range(2):
            patch = image[2 * down : 2 * down + 2, 3 * across : 3 * across + 3]
            expected.append(patch.reshape(-1) @ kernel + bias[len(expected)])
    np.testing.assert_allclose(model(image[None].astype("float32"))[0], expected, atol=1e-5)


def test_the_class_token_is_the_first_position():
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": ("class_token",)}).expand(builder, builder.input("image", (5, 3)))
    sequences = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
    np.testing.assert_array_equal(build_model(builder.build({"output": tensor}))(sequences), sequences[:, 0])


def test_pixels_see_those_at_their_place_in_all_patches():
    """What changes with one pixel, before the convolution of both, is its place in every patch and nothing else."""
    block = {
        "type": "mobilevit",
        "hidden_size": 4,
        "mlp_size": 4,
        "num_heads": 1,
        "kernel_size": 1,
        "batch_normalization": False,
    }
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": (block,)}).expand(builder, builder.input("image", (4, 4, 2)))
    model, _ = model_of(builder.build({"output": tensor}))
    images = np.random.default_rng(1).normal(size=(2, 4, 4, 2)).astype("float32")
    images[1] = images[0]
    images[1, 2, 1] += 1
    one, other = np.asarray(model(images))
    changed = np.abs(one - other).max(axis=-1) > 1e-6
    expected = np.zeros((4, 4), bool)
    expected[0::2, 1::2] = True
    np.testing.assert_array_equal(changed, expected)


def test_positions_start_small_and_projections_with_the_spread_of_their_matrices():
    model = build_model(chain((50, 64), PatchEmbedding(64), MultiHeadAttention(4)))
    (_, positions), (query, *_) = get_weights(model).values()
    assert np.std(positions) == pytest.approx(0.02, rel=0.1)
    assert np.std(query) == pytest.approx((2 / 128) ** 0.5, rel=0.1)
