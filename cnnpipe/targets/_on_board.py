"""What targets with boards share: memory and clock of the board, and LiteRT Micro as the runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

from pydantic import Field, field_validator

from cnnpipe.boards import ROOM as BOARDS
from cnnpipe.boards import AnyBoard, Board
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
    formats: ClassVar[tuple[str, ...]] = ("litert",)
    has_arena: ClassVar[bool] = True
    runtimes: ClassVar[tuple[str, ...]] = ("litert_micro",)

    @field_validator("board")
    @classmethod
    def _of_this_family(cls, board: Board) -> Board:
        if board.family != cls.model_fields["type"].default:
            instead = f"{{type: {board.family}, board: {board.type}}}"
            raise ValueError(f"the board '{board.type}' is one of the target '{board.family}'. Write {instead}")
        return board

    @classmethod
    def meant_by(cls, word: str) -> Mapping[str, Any]:
        """Return the board of that name, or that others call so, if it is one of this family."""
        boards = [BOARDS.load(name) for name in BOARDS.names()]
        for board in cast(list[type[Board]], boards):
            name = board.model_fields["type"].default
            if board.family == cls.model_fields["type"].default and word.lower() in (name, *board.also_called):
                return {"board": name}
        return {}

    @property
    def label(self) -> str:
        """Its type and the board, as in `cortex_m-nicla_vision`."""
        return f"{self.type}-{self.board.type}"

    def misfits(self, program: Program, quantization: Quantization) -> Iterator[Misfit]:
        """Yield the operators that LiteRT Micro lacks, or that refuse their types there."""
        return missing_operators(program)

    def memory(self) -> Memory:
        """Return the board's memory."""
        return Memory(self.board.ram_bytes, self.board.flash_bytes)

    def latency_seconds(self, program: Program) -> tuple[float, float]:
        """Return multiply-adds times the board's cycles, with a band of a factor 2."""
        seconds = program.macs * self.board.cycles_per_mac / self.board.clock_hz
        return seconds / BAND, seconds * BAND
