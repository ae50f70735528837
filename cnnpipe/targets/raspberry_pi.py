"""Raspberry Pi with Linux: LiteRT, and a predict.py that needs no cnnpipe."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.targets._linux import Linux


class RaspberryPi(Linux):
    """A Raspberry Pi (3, 4, 5 or Zero 2) with Linux; the Pico is a board of the target `cortex_m`."""

    also_called: ClassVar[tuple[str, ...]] = ("rpi", "raspberrypi", "raspberry", "linux", "pi4", "pi5")
    type: Literal["raspberry_pi"] = "raspberry_pi"

    title: ClassVar[str] = "Raspberry Pi with Linux: LiteRT, and a predict.py that needs no cnnpipe"
