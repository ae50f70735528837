"""What the families of keras.applications share: a stored graph, published weights, and how Keras makes them."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cnnpipe.backbones import Backbone, FileWeights, Normalization
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.stored import StoredGraph, read_graph

GRAPHS = Path(__file__).with_name("graphs")
STORAGE = "https://storage.googleapis.com/tensorflow/keras-applications"

IDENTITY: Normalization = (1.0, 0.0)
"""For networks that normalize inside."""
SYMMETRIC: Normalization = (1 / 127.5, -1.0)
"""Pixels as -1 to 1: Keras's mode `tf`."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels as 0 to 1, in red, green and blue."""
STANDARDIZED: Normalization = (
    tuple(1 / (255 * deviation) for deviation in DEVIATION),
    tuple(-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)),
)
"""Pixels with mean 0 and deviation 1 on ImageNet: Keras's mode `torch`."""
CENTERED: Normalization = (1.0, (-123.68, -116.779, -103.939))
"""Pixels with mean 0 on ImageNet: Keras's mode `caffe`, here with red first (`reads_bgr`)."""


@dataclass(frozen=True)
class KerasFunction:
    """A function of `keras.applications` and its arguments beside weights, input shape and `include_top`."""

    name: str
    arguments: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The call as one writes it."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"keras.applications.{self.name}({arguments})"


@dataclass(frozen=True)
class OfficialFile:
    """A file of published weights without the head, as Keras names it in its cache and downloads it."""

    name: str
    url: str


def plain(word: str) -> str:
    """Return a name without case and separators."""
    return re.sub(r"[^a-z0-9]", "", word.lower())


class OneOf:
    """Marks a number that must be one of few: `Annotated[float, OneOf(0.5, 1.0)]`."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "number", "enum": list(self.values)}

    def _check(self, value: Any) -> float:
        if isinstance(value, bool) or value not in self.values:
            known = [f"{number:g}" for number in self.values]
            raise PydanticCustomError("one_of", f"expected one of {', '.join(known)}", {"known": known})
        return float(value)


class Application(Backbone):
    """Base of the families of keras.applications: everything up to the head, as a stored graph."""

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    """Every choice of the fields that change the graph; there is a file for each."""
    licence: ClassVar[str]
    """Licence of the published weights, and whose they are."""
    pixels: ClassVar[Normalization]
    """What the published network expects, as `normalization` tells it."""
    smallest: ClassVar[int] = 32
    """Least height and width of the input, as keras.applications asks for it."""
    reads_bgr: ClassVar[bool] = False
    """Whether the published network reads blue first. Here all read red first: the first kernel is turned around."""

    rescales_published: ClassVar[bool] = False
    """Whether Keras adds a rescaling to the network for the published weights only."""

    @property
    def graph_name(self) -> str:
        """Name of the file with the graph: the type and all choices."""
        choices = (name for variant in self.variants[:1] for name in variant)
        values = {name: getattr(self, name) for name in choices}
        words = (name if value is True else str(value) for name, value in values.items() if value is not False)
        return "_".join((self.type, *words))

    @property
    @abstractmethod
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""

    @abstractmethod
    def official_file(self, size: tuple[int, int]) -> OfficialFile | None:
        """Return the published weights for an input of this height and width; None when there are none."""

    @property
    def left_to_head(self) -> int:
        """Number of the last layers of the network in Keras that are not here."""
        return 0

    @property
    def published(self) -> bool:
        """Whether the weights come from a file that Keras writes."""
        return self.weights == "imagenet" or isinstance(self.weights, FileWeights)

    @classmethod
    def meant_by(cls, word: str) -> Mapping[str, Any]:
        """Return the choice that `word` is Keras's name of: `ResNet50`, `resnet_50`."""
        made = (cls.model_validate({**variant, "weights": "none"}) for variant in cls.variants)
        meant = [backbone for backbone in made if plain(backbone.keras_function.name) == plain(word)]
        name = getattr(meant[0], "variant", None) if meant else None
        return {"variant": name} if name else {}

    def unpublished(self) -> str:
        """Return why there are no published weights though `weights` asks for them; empty when there are."""
        if self.weights != "imagenet" or self.official_file((224, 224)):
            return ""
        choices = ", ".join(f"{name} {str(getattr(self, name)).lower()}" for name in self.variants[0])
        return f"there are no weights 'imagenet' for '{self.type}' with {choices}"

    def source(self, size: tuple[int, int]) -> dict[str, str]:
        """Return what is known of the weights for an input of this height and width: `file`, `url`, `licence`."""
        file = self.official_file(size) if self.weights == "imagenet" else None
        return {"file": file.name, "url": file.url, "licence": self.licence} if file else {}

    def normalization(self) -> Normalization:
        """Return what the published network does to pixels before its first layer: `pixel * scale + offset`."""
        return self.pixels

    def stored_graph(self) -> StoredGraph:
        """Return the network."""
        return read_graph(GRAPHS / f"{self.graph_name}.json.gz")

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes after `tensor` (height, width, channels), mark feature maps, and return the last output.

        Raises:
            ProblemError: The input is too small, or has another number of channels than the weights were made for.
        """
        if len(tensor.shape) != 3:
            raise graph.problem(f"'{self.type}' reads pictures, received {len(tensor.shape) - 1}D: {tensor.shape}")
        height, width, channels = tensor.shape
        if min(height, width) < self.smallest:
            raise graph.problem(
                f"an input of {height}x{width} is too small for '{self.type}', which takes at least "
                f"{self.smallest}x{self.smallest}",
                "Make 'data.preprocessing.image_size' larger.",
            )
        if channels != 3 and self.published:
            raise graph.problem(
                f"the weights were made for pictures with 3 channels, received {channels}",
                "Set 'data.preprocessing.color_mode' to 'rgb', or 'weights' to 'none'.",
            )
        return self.layers(graph, tensor)

    def layers(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes after a tensor that was checked, mark feature maps, and return the last output."""
        return self.stored_graph().expand(graph, tensor)
