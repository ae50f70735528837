"""RoIAlign: what feature maps hold inside of boxes, as maps of one size, as a model of plain Keras operations."""

from __future__ import annotations

import keras


def aligned_regions(
    boxes: int,
    values: int,
    maps: tuple[tuple[int, int, int], ...],
    strides: tuple[int, ...],
    size: int,
    samples: int = 2,
    name: str | None = None,
) -> keras.Model:
    """Return a model that samples maps at regular points of boxes, without rounding (He et al. 2017, section 3).

    Each bin of a region is the mean of `samples` by `samples` points, bilinear between the middles of the cells; beyond
    the outermost middles the map goes on as it is there. A box of 224 pixels is read from the level of stride 16, and
    from one level finer with every halving, as far as there are levels (Lin et al. 2017, equation 1): so a box is 14 to
    28 cells wide. No gradient goes to the boxes. Four corners are gathered one after the other, so memory is a few
    times boxes x (size x samples) ** 2 x channels numbers, whatever the maps.

    Input shape: boxes (batch, boxes, values), the first four as `xyxy` in pixels; then the maps, finest first.
    Output shape: (batch, boxes, size, size, channels), float32.

    Args:
        boxes: How many boxes.
        values: How many numbers each has.
        maps: Rows, columns and channels of each map.
        strides: Pixels of the image between the cells of each map.
        size: Rows and columns of a region.
        samples: Points of a bin along each axis.
        name: Name of the model.
    """
    ops = keras.ops
    points, channels = size * samples, maps[0][2]
    given = [keras.Input((boxes, values)), *(keras.Input(tuple(shape)) for shape in maps)]
    flat = [ops.reshape(ops.cast(one, "float32"), (-1, one.shape[1] * one.shape[2], channels)) for one in given[1:]]
    table = ops.reshape(ops.concatenate(flat, axis=1) if len(flat) > 1 else flat[0], (-1, channels))
    parts = []
    for place, share in points_between_cells(ops.cast(given[0], "float32"), maps, strides, points):
        there = ops.take(table, ops.reshape(ops.cast(place, "int32"), (-1, boxes * points**2)), axis=0)
        parts.append(there * ops.reshape(share, (-1, boxes * points**2, 1)))
    total = parts[0] + parts[1] + parts[2] + parts[3]
    means = ops.average_pool(ops.reshape(total, (-1, points, points, channels)), samples)
    return keras.Model(given, ops.reshape(means, (-1, boxes, size, size, channels)), name=name)


def points_between_cells(
    boxes: keras.KerasTensor, maps: tuple[tuple[int, int, int], ...], strides: tuple[int, ...], points: int
) -> list[tuple[keras.KerasTensor, keras.KerasTensor]]:
    """Return the four cells around each point of each box, as rows of the list of all cells of a batch, and shares."""
    ops = keras.ops
    cells = [rows * columns for rows, columns, _ in maps]
    left, top, right, bottom = (ops.stop_gradient(boxes[..., edge]) for edge in range(4))
    side = ops.sqrt(ops.relu(right - left) * ops.relu(bottom - top))
    steps = ops.cumsum(ops.ones_like(ops.tile(ops.expand_dims(side, 2), (1, 1, points))), axis=2) - 0.5

    def chosen(numbers: list[int]) -> keras.KerasTensor:
        found = ops.zeros_like(side) + float(numbers[0])
        for before, number, stride in zip(numbers, numbers[1:], strides[1:]):  # noqa: B905
            found = found + float(number - before) * ops.cast(side >= 224 / 16 * stride, "float32")
        return found

    def sampled(
        low: keras.KerasTensor, high: keras.KerasTensor, most: list[int]
    ) -> tuple[tuple[keras.KerasTensor, keras.KerasTensor], ...]:
        start, step = low / chosen(list(strides)) - 0.5, (high - low) / chosen(list(strides)) / points
        last = ops.expand_dims(chosen([n - 1 for n in most]), 2)
        # a difference where a sum is meant: Keras takes a sum with one row per box for a bias
        at = ops.subtract(ops.expand_dims(step, 2) * steps, -ops.expand_dims(start, 2))
        at = ops.minimum(ops.relu(at), last)
        before = ops.floor(at)
        return (before, 1.0 - (at - before)), (ops.minimum(before + 1.0, last), at - before)

    starts = chosen([sum(cells[:level]) for level in range(len(cells))])
    first = ops.subtract((ops.cumsum(ops.ones_like(side[:, :1]), axis=0) - 1.0) * sum(cells), -starts)
    width, found = ops.expand_dims(chosen([columns for _, columns, _ in maps]), 2), []
    for row, row_share in sampled(top, bottom, [rows for rows, _, _ in maps]):
        line = ops.expand_dims(ops.subtract(row * width, -ops.expand_dims(first, 2)), 3)
        for column, column_share in sampled(left, right, [columns for _, columns, _ in maps]):
            share = ops.expand_dims(row_share, 3) * ops.expand_dims(column_share, 2)
            found.append((ops.subtract(line, -ops.expand_dims(column, 2)), share))
    return found
