"""Convolution and attention in one block."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Example
from cnnpipe.blocks._encoder_layers import EncoderLayers, patches
from cnnpipe.blocks._fields import Normalize, Positive, Sizes
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import Size
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.permute import Permute
from cnnpipe.graph.nodes.rearrange import Reshape


class MobileViT(EncoderLayers):
    """A convolution for what is near, a transformer for what is far, and a convolution of both.

    A convolution, and one of 1x1 to `hidden_size` channels; then `repeat` layers of a transformer encoder, in which a
    pixel sees those at its place in all patches; a normalization; a convolution of 1x1 back to the channels of the
    input; the input beside it; and a convolution of both.

    Output shape: that of the input, (height, width, channels), both sizes multiples of `patch_size`.

    Source: Mehta and Rastegari 2022, section 3.1 and figure 1b; layers as in their published code.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"hidden_size": 12, "mlp_size": 16, "num_heads": 2},
        {"hidden_size": 8, "mlp_size": 8, "repeat": 2, "patch_size": 4, "dropout": 0.5, "batch_normalization": False},
    )
    widths: ClassVar[tuple[str, ...]] = ("hidden_size", "mlp_size")

    also_called: ClassVar[tuple[str, ...]] = ("mobilevit_block", "mobile_vit", "mvit", "hybrid")
    type: Literal["mobilevit"] = "mobilevit"
    hidden_size: Positive
    """Channels inside the transformer; heads divide them."""
    num_heads: Positive = 4
    """Heads of the attention; the channels are divided among them."""
    patch_size: Annotated[int, Field(ge=2)] = 2
    """Height and width of a patch."""
    kernel_size: Sizes = 3
    """Size of the window of both convolutions that are not 1x1."""
    batch_normalization: Normalize = True
    """Normalize convolutions before their activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "silu"
    """Keras's name of the activation."""
    epsilon: Annotated[float, Field(gt=0)] = 1e-5
    """Added to the variance where positions are normalized."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        size, channels = self.patch_size, tensor.shape[-1]
        down, across = patches(graph, tensor.shape, (size, size))
        near = self._convolved(graph, tensor, channels, self.kernel_size)
        near = convolution(graph, near, self.hidden_size, 1, use_bias=False)
        far = graph.add(Reshape((down, size, across, size, self.hidden_size)), near)
        far = graph.add(Permute((2, 4, 1, 3, 5)), far)
        far = self.encoded(graph, graph.add(Reshape((size * size, down * across, self.hidden_size)), far))
        far = graph.add(Reshape((size, size, down, across, self.hidden_size)), self.normalized(graph, far))
        far = graph.add(Reshape(near.shape), graph.add(Permute((3, 1, 4, 2, 5)), far))
        far = self._convolved(graph, far, channels, 1)
        return self._convolved(graph, graph.add(Concatenate(), tensor, far), channels, self.kernel_size)

    def _convolved(self, graph: GraphBuilder, tensor: Tensor, filters: int, kernel_size: Size) -> Tensor:
        tensor = convolution(graph, tensor, filters, kernel_size, use_bias=not self.batch_normalization)
        return normalized(graph, tensor, self.batch_normalization, self.activation)
