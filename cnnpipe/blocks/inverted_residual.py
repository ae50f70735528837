"""Residual units that are wide inside and narrow outside."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Example
from cnnpipe.blocks._inverted import InvertedUnits, squeezed_and_excited
from cnnpipe.blocks._scaling import rounded
from cnnpipe.graph import GraphBuilder, Tensor


class InvertedResidual(InvertedUnits):
    """1x1 up to `expansion` times the channels, depthwise, squeeze and excitation if wanted, 1x1 down to `filters`.

    Each convolution is followed by batch normalization, and by the activation but for the last. The input is added
    where its shape is that of the output. With `expansion: 1` the first convolution is left out.

    Output shape: (height / strides, width / strides, filters), rounded up.

    Source: Sandler et al. 2018 (MobileNetV2), section 3.3 and tables 1 and 2; squeeze and excitation: Howard et al.
    2019 (MobileNetV3), figure 4 and section 5.3.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 8},
        {"filters": 4, "strides": 2, "expansion": 3, "squeeze_excitation": 0.25, "activation": "hard_silu"},
        {"filters": 8, "expansion": 1, "squeeze_excitation": 0.5, "gate": "sigmoid"},
        {"filters": 8, "expansion": 2.3, "repeat": 2, "stochastic_depth": 0.5, "batch_normalization": False},
    )

    also_called: ClassVar[tuple[str, ...]] = (
        "invertedresidual",
        "mobilenet_block",
        "inverted_bottleneck",
        "mobilenetv2_block",
        "mobilenetv3_block",
    )
    type: Literal["inverted_residual"] = "inverted_residual"
    squeeze_excitation: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Squeezed channels as a share of the inner channels, rounded to a multiple of 8; 0 for none."""
    gate: Literal["sigmoid", "hard_sigmoid"] = "hard_sigmoid"
    """Activation that ends squeeze and excitation."""

    def ignored_keys(self) -> dict[str, str]:
        """The gate belongs to squeeze and excitation."""
        return {} if self.squeeze_excitation else {"gate": "because squeeze_excitation is 0"}

    def gated(self, graph: GraphBuilder, inner: Tensor, channels: int) -> Tensor:
        """Add squeeze and excitation if wanted, with ReLU inside."""
        if not self.squeeze_excitation:
            return inner
        squeezed = rounded(inner.shape[-1] * self.squeeze_excitation)
        return squeezed_and_excited(graph, inner, squeezed, "relu", self.gate, self.kernel_initializer)
