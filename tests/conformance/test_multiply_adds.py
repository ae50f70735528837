"""Multiply-adds, counted one by one in loops that compute what Keras computes."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.resize import TransposedConvolution

CASES = [
    (Convolution(3, 3), (7, 2)),
    (Convolution(3, 3, 2, "causal"), (7, 2)),
    (Convolution(4, (3, 2), (2, 1), "same", groups=2), (5, 4, 4)),
    (Convolution(2, 2, 1, "valid", dilation_rate=(2, 1)), (6, 5, 3)),
    (Convolution(2, 2, 2, "same", use_bias=False), (3, 4, 2, 2)),
    (DepthwiseConvolution(3, 2, "same", depth_multiplier=2), (6, 3)),
    (DepthwiseConvolution((2, 3), 1, "valid", use_bias=False), (4, 5, 3)),
    (TransposedConvolution(2, 3, 2, "same"), (4, 3)),
    (TransposedConvolution(3, (3, 2), (2, 3), "valid"), (3, 2, 2)),
    (TransposedConvolution(1, 2, 2, "same"), (2, 2, 2, 3)),
    (Dense(4), (6,)),
    (Dense(4, use_bias=False), (2, 3, 5)),
]


@pytest.mark.parametrize(("node", "shape"), CASES, ids=lambda value: str(value))
def test_multiply_adds_and_values(node, shape):
    data = node.keras_layer(shape)
    layer = getattr(keras.layers, data.class_name)(**data.config)
    layer.build((1, *shape))
    random = np.random.default_rng(0)
    kernel = random.normal(size=layer.get_weights()[0].shape)
    layer.set_weights([kernel, *(np.zeros(weight.shape) for weight in layer.weights[1:])])
    values = random.normal(size=shape)
    expected = np.asarray(layer(values[None].astype("float32")))[0]
    result, count = LOOPS[type(node)](node, values, kernel, expected.shape)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert node.macs(shape) == count


def taps(shape):
    return itertools.product(*map(range, shape))


def per_axis(value, rank):
    return value if isinstance(value, tuple) else (value,) * rank


def before(padding, n, out, kernel, stride, dilation):
    """Zeros before the first value."""
    reach = dilation * (kernel - 1) + 1
    missing = max((out - 1) * stride + reach - n, 0)
    return {"valid": 0, "causal": dilation * (kernel - 1), "same": missing // 2}[padding]


def reads(node, shape, out_shape, window, position):
    """Yield each tap of the window and where it reads, None in the padding."""
    rank = len(window)
    strides, dilation = per_axis(node.strides, rank), per_axis(node.dilation_rate, rank)
    for tap in taps(window):
        place = tuple(
            o * s + d * t - before(node.padding, n, out, k, s, d)
            for o, s, d, t, n, out, k in zip(position, strides, dilation, tap, shape, out_shape, window, strict=False)
        )
        yield tap, place if all(0 <= p < n for p, n in zip(place, shape, strict=False)) else None


def convolve(node, values, kernel, out_shape):
    result, count = np.zeros(out_shape), 0
    width = kernel.shape[-2]
    for *position, out in taps(out_shape):
        first = (out // (node.filters // node.groups)) * width
        for tap, place in reads(node, values.shape, out_shape, kernel.shape[:-2], position):
            for channel in range(width):
                read = values[(*place, first + channel)] if place else 0.0
                result[(*position, out)] += read * kernel[(*tap, channel, out)]
                count += 1
    return result, count


def convolve_depthwise(node, values, kernel, out_shape):
    result, count = np.zeros(out_shape), 0
    for *position, out in taps(out_shape):
        channel, number = divmod(out, node.depth_multiplier)
        for tap, place in reads(node, values.shape, out_shape, kernel.shape[:-2], position):
            result[(*position, out)] += (values[(*place, channel)] if place else 0.0) * kernel[(*tap, channel, number)]
            count += 1
    return result, count


def convolve_transposed(node, values, kernel, out_shape):
    """Spread every input value over a window, then crop what `same` has too much."""
    window, strides = kernel.shape[:-2], per_axis(node.strides, values.ndim - 1)
    full = [(n - 1) * s + max(k, s) for n, s, k in zip(values.shape, strides, window, strict=False)]
    result, count = np.zeros((*full, node.filters)), 0
    for *position, channel in taps(values.shape):
        for tap in taps(window):
            for out in range(node.filters):
                place = tuple(p * s + t for p, s, t in zip(position, strides, tap, strict=False))
                result[(*place, out)] += values[(*position, channel)] * kernel[(*tap, out, channel)]
                count += 1
    cut = [(n - out) // 2 for n, out in zip(full, out_shape, strict=False)]
    return result[tuple(slice(c, c + out) for c, out in zip(cut, out_shape, strict=False))], count


def multiply(node, values, kernel, out_shape):
    result, count = np.zeros(out_shape), 0
    for *position, out in taps(out_shape):
        for channel in range(values.shape[-1]):
            result[(*position, out)] += values[(*position, channel)] * kernel[channel, out]
            count += 1
    return result, count


LOOPS = {
    Convolution: convolve,
    DepthwiseConvolution: convolve_depthwise,
    TransposedConvolution: convolve_transposed,
    Dense: multiply,
}
