"""Some columns of a list."""

from __future__ import annotations

from typing import Any

import keras


class Columns(keras.layers.Layer):  # type: ignore[misc]
    """Returns some columns of each list; a single column loses its axis.

    Input shape: `(batch, rows, columns)`.
    Output shape: `(batch, rows, number)`, without the axes that are lost.

    Args:
        first: The first one.
        number: How many.
        one_row: Whether only those of the first row are returned, without the axis of the rows.
        kwargs: What every layer takes, such as `name`.
    """

    def __init__(self, first: int, number: int, one_row: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._first, self._number, self._one_row = first, number, one_row

    def call(self, inputs: Any) -> Any:
        """Return the columns."""
        found = inputs[:, 0] if self._one_row else inputs
        found = found[..., self._first : self._first + self._number]
        return found[..., 0] if self._number == 1 else found

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the columns."""
        batch, rows, _ = input_shape
        shape = (batch,) if self._one_row else (batch, rows)
        return shape if self._number == 1 else (*shape, self._number)
