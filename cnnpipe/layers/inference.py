"""A model as a layer that always works as in inference."""

from __future__ import annotations

from typing import Any

import keras


class Inference(keras.layers.Layer):  # type: ignore[misc]
    """Runs a model with `training=False`, while what surrounds it is trained: no dropout, no new BatchNorm statistics.

    Input shape: that of the model.
    Output shape: that of the model.

    Args:
        model: The model.
        kwargs: What every layer takes, such as `name`.
    """

    def __init__(self, model: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the model's outputs."""
        return self.model(inputs, training=False)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the model's outputs."""
        return self.model.compute_output_shape(input_shape)
