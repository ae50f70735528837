"""Where objects may be, by what a network says of each anchor, as a model of plain Keras operations."""

from __future__ import annotations

import keras


def proposed_boxes(
    cells: tuple[tuple[int, int], ...],
    strides: tuple[int, ...],
    anchor_scale: float,
    aspect_ratios: tuple[float, ...],
    scales: tuple[float, ...],
    image: tuple[int, int],
    count: int,
    name: str | None = None,
) -> keras.Model:
    """Return a model that gives the boxes of the best anchors, inside of the image (Ren et al. 2015, section 3.1).

    Anchors are those of `boxes/anchors.py`, and so are the numbers of boxes, divided by `scales`. The places of the
    best anchors are computed from their positions in the list, so no table of all anchors is kept. No gradient goes
    through it. Boxes of which less than one pixel is left get an objectness of -10,000.

    Input shape: objectness (batch, anchors, 1), any number that grows with it; numbers of boxes (batch, anchors, 4).
    Output shape: (batch, count, 5), the best first: box as `xyxy` in pixels, and its objectness; float32.

    Args:
        cells: Rows and columns of the map of each level.
        strides: Pixels of the image between the cells of each level.
        anchor_scale: Square root of an anchor's area, in strides.
        aspect_ratios: Height divided by width, for the anchors of each cell.
        scales: What the four numbers of a box are multiplied by.
        image: Height and width.
        count: How many boxes.
        name: Name of the model.
    """
    ops = keras.ops
    total = sum(rows * columns for rows, columns in cells) * len(aspect_ratios)
    objectness, numbers = keras.Input((total, 1)), keras.Input((total, 4))
    scores, order = ops.top_k(ops.cast(objectness, "float32")[..., 0], count)
    first = (ops.cumsum(ops.ones_like(order[:, :1]), axis=0) - 1) * total  # where the rows of an example begin
    best = ops.take(ops.reshape(ops.cast(numbers, "float32"), (-1, 4)), ops.subtract(order, -first), axis=0)
    edges = []
    places = anchor_places(ops.cast(order, "float32"), cells, strides, anchor_scale, aspect_ratios)
    for axis, (middle, side) in enumerate(places):
        moved = middle + best[..., axis] * scales[axis] * side
        half = ops.exp(ops.clip(best[..., axis + 2] * scales[axis + 2], -4.0, 4.0)) * side / 2.0
        edges.append((ops.clip(moved - half, 0.0, image[axis]), ops.clip(moved + half, 0.0, image[axis])))
    (top, bottom), (left, right) = edges
    large = ops.cast(ops.minimum(bottom - top, right - left) >= 1.0, "float32")
    found = ops.stack([left, top, right, bottom, scores * large - 1e4 * (1.0 - large)], axis=-1)
    return keras.Model([objectness, numbers], ops.stop_gradient(found), name=name)


def anchor_places(
    position: keras.KerasTensor,
    cells: tuple[tuple[int, int], ...],
    strides: tuple[int, ...],
    anchor_scale: float,
    aspect_ratios: tuple[float, ...],
) -> list[tuple[keras.KerasTensor, keras.KerasTensor]]:
    """Return row of the middle and height, then column of the middle and width, of the anchors at positions."""
    ops = keras.ops
    shapes = len(aspect_ratios)
    sizes = [rows * columns * shapes for rows, columns in cells]
    starts = [float(sum(sizes[:level])) for level in range(len(sizes))]

    def chosen(values: list[float], index: keras.KerasTensor, bounds: list[float]) -> keras.KerasTensor:
        found = ops.zeros_like(position) + values[0]
        for before, value, bound in zip(values, values[1:], bounds[1:]):  # noqa: B905
            found = found + (value - before) * ops.cast(index >= bound, "float32")
        return found

    within = position - chosen(starts, position, starts)
    cell = ops.floor((within + 0.5) / shapes)
    columns = chosen([float(size[1]) for size in cells], position, starts)
    row = ops.floor((cell + 0.5) / columns)
    stride = chosen([float(value) for value in strides], position, starts)
    roots = [float(ratio) ** 0.5 for ratio in aspect_ratios]
    root = chosen(roots, within - cell * shapes, [number - 0.5 for number in range(shapes)])
    side = stride * anchor_scale
    return [((row + 0.5) * stride, side * root), ((cell - row * columns + 0.5) * stride, side / root)]
