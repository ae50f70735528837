"""Targets: phones and boards as data. One file each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec


class Target(Spec):
    """Base of all targets: what a device's runtime wants."""

    type: str
    format: AnyExporter
    """The file format that its runtime reads."""
    input_types: ClassVar[Mapping[Quantization, TensorType]]
    """The input type that it wants, for each quantization that it can run; the output type is the same."""


ROOM = Room("targets", Target)
AnyTarget = Annotated[Target, Component("targets")]
