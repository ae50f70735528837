"""Backbones: published networks without their heads, one family a file, as stored graphs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Block
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.registry import Component, Room
from cnnpipe.spec import RecipePath, Spec


class FileWeights(Spec):
    """Weights from a file."""

    file: RecipePath
    """A weights file as Keras writes it (`.weights.h5`, `.h5`) for the same backbone without its head."""


class RunWeights(Spec):
    """Weights of an earlier run."""

    run: Annotated[str, Field(min_length=1)]
    """A run folder, a name and number (`flowers/0003`), or a name: its newest run."""


Weights = Literal["imagenet", "none"] | FileWeights | RunWeights
Level = Literal["P1", "P2", "P3", "P4", "P5"]
"""A feature map: `Pn` has stride 2**n."""
Normalization = tuple[float | tuple[float, ...], float | tuple[float, ...]]
"""Scale and offset of pixels 0 to 255, each one number or one per channel (red, green, blue)."""


class Backbone(Spec):
    """Base of all backbones: a network that turns an image into feature maps, whose weights may be given."""

    tuned_after: ClassVar[Level] = "P4"
    """Up to which feature map the network keeps its published weights when nobody says what a training freezes."""

    type: str
    weights: Weights = "imagenet"
    """Where training starts: `imagenet` (Keras's own files), `none` (random), `{file: PATH}` or `{run: NAME}`."""

    @property
    def pretrained(self) -> bool:
        """Whether training starts from given weights."""
        return self.weights != "none"

    def unpublished(self) -> str:
        """Return why there are no published weights though `weights` asks for them; empty when there are."""
        return ""

    def source(self, size: tuple[int, int]) -> dict[str, str]:
        """Return what is known of the weights for an input of this height and width: `file`, `url`, `licence`."""
        return {}

    def following(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Return what the options of the family make of the blocks after the backbone; by default the same."""
        return blocks

    @abstractmethod
    def normalization(self) -> Normalization:
        """Return what the published network does to pixels before its first layer: `pixel * scale + offset`."""

    @abstractmethod
    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes after `tensor` (height, width, channels), mark feature maps, and return the last output."""


ROOM = Room("backbones", Backbone)
AnyBackbone = Annotated[Backbone, Component("backbones")]
