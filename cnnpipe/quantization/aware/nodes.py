"""Nodes that a network has while it is trained quantization-aware. They stand in no recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cnnpipe.exporters import Granularity
from cnnpipe.graph import NodeType, Shape, Window
from cnnpipe.graph.core import KerasLayer
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution

ACTIVATIONS, WEIGHTS = "cnnpipe.layers.fake_quantization", "cnnpipe.layers.fake_quantized_weights"


@dataclass(frozen=True)
class FakeQuantization(NodeType):
    """`FakeQuantization`: activations rounded to the 256 steps of a range.

    Args:
        tensors: How many tensors share the range.
        fixed: The range's ends, where they are known; else it is calibrated, and follows the batches in training.
    """

    kind: ClassVar[str] = "fake_quantization"
    tensors: int = 1
    fixed: tuple[float, float] | None = None

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `cnnpipe.layers.fake_quantization.FakeQuantization`."""
        if self.fixed is None:
            return KerasLayer(f"{ACTIVATIONS}.FakeQuantization", {"tensors": self.tensors})
        minimum, maximum = self.fixed
        return KerasLayer(f"{ACTIVATIONS}.FakeQuantization", {"minimum": minimum, "maximum": maximum})

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return the bounds of each tensor."""
        return {} if self.fixed else {"minimum": (self.tensors,), "maximum": (self.tensors,)}


@dataclass(frozen=True)
class SharedFakeQuantization(NodeType):
    """The range of another node, for one more of the tensors that share it.

    Args:
        node: Name of the other node.
        tensor: Which of its tensors this is.
    """

    kind: ClassVar[str] = "shared_fake_quantization"
    node: str
    tensor: int

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return that the other node's layer is called again."""
        return KerasLayer("", {}, again=self.node, arguments={"tensor": self.tensor})


@dataclass(frozen=True)
class FakeQuantizedWeights(NodeType):
    """A node with a kernel that is rounded to 8 bits.

    Args:
        exact: The node without rounding: a convolution, depthwise or transposed convolution in 2D, or dense.
        granularity: Whether every output channel has a scale of its own; dense and transposed convolution have one.
    """

    kind: ClassVar[str] = "fake_quantized_weights"
    exact: NodeType
    granularity: Granularity = "per_channel"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the exact node."""
        return self.exact.output_shape(*inputs)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the layer of the exact node with a rounded kernel."""
        layer = self.exact.keras_layer(*inputs)
        config: dict[str, Any] = dict(layer.config)
        if isinstance(self.exact, Convolution | DepthwiseConvolution):
            config["per_channel"] = self.granularity == "per_channel"
        return KerasLayer(f"{WEIGHTS}.FakeQuantized{layer.class_name}", config)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return those of the exact node."""
        return self.exact.weights(*inputs)

    def macs(self, *inputs: Shape) -> int:
        """Return those of the exact node."""
        return self.exact.macs(*inputs)

    def window(self, *inputs: Shape) -> Window | None:
        """Return that of the exact node."""
        return self.exact.window(*inputs)
