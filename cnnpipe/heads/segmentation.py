"""The segmentation head: a feature map becomes one number per class for each pixel of the image."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.resize import Resizing
from cnnpipe.heads import Head


class Segmentation(Head):
    """A 1x1 convolution (Long et al. 2015, section 4.1), enlarged to the size of the image, then softmax."""

    type: Literal["segmentation"] = "segmentation"
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the features that is dropped while training."""
    interpolation: Literal["bilinear", "nearest"] = "bilinear"
    """How the map is enlarged when it is smaller than the image."""

    def expand(self, graph: GraphBuilder, features: Tensor, classes: int, size: tuple[int, int]) -> Tensor:
        """Add the head after `features`, (height, width, channels), and return (*size, classes) probabilities.

        Raises:
            ProblemError: The features are a vector, which has no places.
        """
        if len(features.shape) != 3:
            message = f"every pixel needs an answer, and the model ends in a vector of {features.shape[-1]} values"
            raise graph.problem(message, "Take away blocks such as flatten or dense.")
        if self.dropout:
            features = graph.add(Dropout(self.dropout), features)
        tensor = graph.add(Convolution(classes, 1), features)
        if tensor.shape[:2] != size:
            tensor = graph.add(Resizing(size, self.interpolation), tensor)
        return graph.add(Activation("softmax"), tensor)
