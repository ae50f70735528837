"""Targets: phones and boards as data. One file each.

A target is a promise that is checked twice: before training, by what it says of a predicted program (`misfits`, memory,
latency), and after export, by the runtimes that it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from cnnpipe.exporters import AnyExporter, Granularity, Quantization, TensorType
from cnnpipe.program import Program
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec


@dataclass(frozen=True)
class Misfit:
    """Why a program does not run on a target, or not well.

    Args:
        message: What does not fit, naming the operator.
        hint: What to write instead, in a recipe's words; may be empty.
        operator: Position of the operator in the program; None when the whole program is meant.
        severity: `error` when the runtime refuses it, `warning` when it runs, but badly.
    """

    message: str
    hint: str = ""
    operator: int | None = None
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class Memory:
    """What a device has for one model, in bytes: `ram` for the arena, `flash` for file and runtime."""

    ram: int
    flash: int


class Target(Spec):
    """Base of all targets: what a device's runtime wants."""

    type: str
    format: AnyExporter
    """The file format that its runtime reads."""
    formats: ClassVar[tuple[str, ...]] = ()
    """Types of the formats that its runtime reads; empty when it may read any."""
    title: ClassVar[str] = ""
    """What `cnnpipe list targets` says of it."""
    input_types: ClassVar[Mapping[Quantization, TensorType]]
    """The input type that it wants, for each quantization that it can run; the output type is the same."""
    granularity: ClassVar[Granularity] = "per_channel"
    """Whether int8 weights have a scale for each output channel, or one for all."""
    builtins_only: ClassVar[bool] = False
    """Whether every operator of an int8 file must compute in integers: no islands of float."""
    client_resize: ClassVar[Literal["stretch"] | None] = None
    """How its client library resizes a picture before the model sees it; None when the client is ours."""
    client_interpolation: ClassVar[Literal["mediapipe"] | None] = None
    """How its client library computes the pixels of the new size; None when the client is ours."""
    client_channels: ClassVar[int | None] = None
    """How many channels its client library feeds; a model of gray pictures then takes colour and reduces inside."""
    metadata: ClassVar[bool] = False
    """Whether its client library reads labels and normalization from metadata inside the file."""
    has_arena: ClassVar[bool] = False
    """Whether its runtime keeps all tensors in one arena of fixed size, as LiteRT Micro does."""
    attachments: ClassVar[tuple[str, ...]] = ("model_card",)
    """Components of the room `attachments`: what is written for it beside the file."""
    runtimes: ClassVar[tuple[str, ...]] = ()
    """Components of the room `runtimes` in which its file is proven, beside the exporter's own."""

    @property
    def label(self) -> str:
        """What folders and tables call it: its type, and what tells it from others of its type."""
        return self.type

    def misfits(self, program: Program, quantization: Quantization) -> Iterator[Misfit]:
        """Yield what its runtime lacks or does badly, operator by operator."""
        return iter(())

    def accelerated(self, program: Program) -> int | None:
        """Return how many operators, from the first on, its accelerator runs; None where it has none or cannot tell."""
        return None

    def memory(self) -> Memory | None:
        """Return what a model may use; None where memory is no matter."""
        return None

    def latency_seconds(self, program: Program) -> tuple[float, float] | None:
        """Return an order of magnitude for one example as its band (lower, upper); None where nothing is known."""
        return None


ROOM = Room("targets", Target)
AnyTarget = Annotated[Target, Component("targets")]
