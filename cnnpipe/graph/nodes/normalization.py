"""Normalization by learned or measured statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import layer
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError, Window


@dataclass(frozen=True)
class BatchNormalization(NodeType):
    """`keras.layers.BatchNormalization` over the last axis (Ioffe and Szegedy 2015, algorithms 1 and 2).

    Args:
        momentum: Share of the old moving statistics that each training step keeps.
        epsilon: Added to the variance.
        center: Add a learned beta.
        scale: Multiply by a learned gamma.
    """

    kind: ClassVar[str] = "batch_normalization"
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.BatchNormalization`."""
        return layer(
            "BatchNormalization",
            {},
            momentum=(self.momentum, 0.99),
            epsilon=(self.epsilon, 1e-3),
            center=(self.center, True),
            scale=(self.scale, True),
        )

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return gamma, beta, moving mean and moving variance, one number per channel each."""
        names = ["gamma"] * self.scale + ["beta"] * self.center + ["moving_mean", "moving_variance"]
        return {name: inputs[0][-1:] for name in names}


@dataclass(frozen=True)
class LayerNormalization(NodeType):
    """`keras.layers.LayerNormalization` over the channels of each position (Ba et al. 2016, section 3).

    Args:
        epsilon: Added to the variance.
        center: Add a learned beta.
        scale: Multiply by a learned gamma.
    """

    kind: ClassVar[str] = "layer_normalization"
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.LayerNormalization`."""
        return layer(
            "LayerNormalization",
            {},
            epsilon=(self.epsilon, 1e-3),
            center=(self.center, True),
            scale=(self.scale, True),
        )

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return gamma and beta, one number per channel each."""
        return {name: inputs[0][-1:] for name in ["gamma"] * self.scale + ["beta"] * self.center}


@dataclass(frozen=True)
class GroupNormalization(NodeType):
    """`keras.layers.GroupNormalization` over all positions and the channels of a group (Wu and He 2018, section 3).

    Args:
        groups: Number of groups that the channels are divided into; one group a channel is instance normalization.
        epsilon: Added to the variance.
        center: Add a learned beta.
        scale: Multiply by a learned gamma.
    """

    kind: ClassVar[str] = "group_normalization"
    groups: int = 32
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        (shape,) = inputs
        if shape[-1] % self.groups:
            share = shape[-1] / self.groups
            raise ShapeError(
                f"divides {shape[-1]} channels into {self.groups} groups: {shape[-1]} / {self.groups} = {share:.2f}"
            )
        return shape

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.GroupNormalization`."""
        return layer(
            "GroupNormalization",
            {},
            groups=(self.groups, 32),
            epsilon=(self.epsilon, 1e-3),
            center=(self.center, True),
            scale=(self.scale, True),
        )

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return gamma and beta, one number per channel each."""
        return {name: inputs[0][-1:] for name in ["gamma"] * self.scale + ["beta"] * self.center}

    def window(self, *inputs: Shape) -> Window | None:
        """Return None: the statistics read every position."""
        return None
