"""All values of several tensors as one vector, as a model of plain Keras operations."""

from __future__ import annotations

import keras


def side_by_side(shapes: tuple[tuple[int, ...], ...], name: str | None = None) -> keras.Model:
    """Return a model that lays tensors flat behind one another, in float32 whatever type they come in.

    Input shape: (batch, ...) for each of the shapes.
    Output shape: (batch, number of all values).

    Args:
        shapes: Shape of each tensor, without the batch.
        name: Name of the model.
    """
    ops = keras.ops
    given = [keras.Input(tuple(shape)) for shape in shapes]
    flat = [ops.reshape(ops.cast(one, "float32"), (-1, int(ops.prod(one.shape[1:])))) for one in given]
    return keras.Model(given, ops.concatenate(flat, axis=1) if len(flat) > 1 else flat[0], name=name)
