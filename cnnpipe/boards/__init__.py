"""Boards: real devices with their memory and clock. One file each; a plugin folder adds boards of one's own."""

from __future__ import annotations

from typing import Annotated, ClassVar

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec


class Board(Spec):
    """Base of all boards. What a board has is stated as class variables, each with its source in a comment."""

    type: str
    title: ClassVar[str]
    """What its maker calls it."""
    family: ClassVar[str]
    """The target that it belongs to: `cortex_m`, `esp32` or one of a plugin."""
    core: ClassVar[str]
    """Its processor, such as `Cortex-M4F`."""
    ram_bytes: ClassVar[int]
    """Memory that the arena can lie in as one piece; what the rest of a program needs must still be left."""
    flash_bytes: ClassVar[int]
    """Memory for program and model."""
    clock_hz: ClassVar[int]
    """Clock of its processor."""
    cycles_per_mac: ClassVar[float]
    """Clock cycles for one int8 multiply-add with the vendor's kernels: an order of magnitude, good to a factor 2."""
    source: ClassVar[str]
    """Where memory, clock and cycles come from."""

    @classmethod
    def columns(cls) -> dict[str, str]:
        """Return what `cnnpipe list boards` shows of it."""
        return {
            "target": cls.family,
            "core": cls.core,
            "RAM": f"{cls.ram_bytes // 1024} KiB",
            "flash": f"{cls.flash_bytes // 1024} KiB",
            "clock": f"{cls.clock_hz // 1_000_000} MHz",
        }


ROOM = Room("boards", Board)
AnyBoard = Annotated[Board, Component("boards")]
