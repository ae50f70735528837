"""What targets with boards share: memory and clock of the board, and LiteRT Micro as the runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from cnnpipe.boards import ROOM as BOARDS
from cnnpipe.boards import AnyBoard
from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.program import Program
from cnnpipe.registry import Component
from cnnpipe.targets import Memory, Misfit, Target
from cnnpipe.targets._lite_rt_micro import missing_operators

BAND = 2.0
"""Published cycles for one multiply-add differ by about this factor between networks."""


def litert() -> Any:
    """Return the exporter of LiteRT files with its defaults."""
    return Component("exporters").validate("litert")


class OnBoard(Target):
    """Base of the families of microcontrollers."""

    board: AnyBoard
    """The board: its RAM and flash are limits, its clock gives the order of magnitude of the latency."""
    format: AnyExporter = Field(default_factory=litert)
    """The file format."""

    input_types: ClassVar[Mapping[Quantization, TensorType]] = {
        "none": "float32",
        "int8": "int8",
        "int16x8": "int16",
    }
    runtimes: ClassVar[tuple[str, ...]] = ("litert_micro",)

    @classmethod
    def meant_by(cls, word: str) -> Mapping[str, Any]:
        """Return the board of that name, if it is one of this family."""
        known = {name: BOARDS.load(name) for name in BOARDS.names()}
        family = getattr(known.get(word.lower()), "family", None)
        return {"board": word.lower()} if family == cls.model_fields["type"].default else {}

    @property
    def label(self) -> str:
        """Its type and the board, as in `cortex_m-nicla_vision`."""
        return f"{self.type}-{self.board.type}"

    def misfits(self, program: Program, quantization: Quantization) -> Iterator[Misfit]:
        """Yield the operators that LiteRT Micro lacks."""
        return missing_operators(program, quantization)

    def memory(self) -> Memory:
        """Return the board's memory."""
        return Memory(self.board.ram_bytes, self.board.flash_bytes)

    def latency_seconds(self, program: Program) -> tuple[float, float]:
        """Return multiply-adds times the board's cycles, with a band of a factor 2."""
        seconds = program.macs * self.board.cycles_per_mac / self.board.clock_hz
        return seconds / BAND, seconds * BAND
