"""Draws for augmentations, as tests need them."""

from __future__ import annotations

from typing import Any

import keras
import pytest
import tensorflow as tf


class Seeds(keras.random.SeedGenerator):  # type: ignore[misc]
    """Draws the same numbers whenever it is asked in the same order."""

    def __init__(self, seed: int = 0) -> None:
        self.seed, self.drawn = seed, 0

    def next(self, ordered: bool = True) -> Any:
        self.drawn += 1
        return tf.constant([self.seed, self.drawn], "uint32")


@pytest.fixture
def seeds() -> type[Seeds]:
    return Seeds
