"""Raspberry Pi Pico 2: Cortex-M33, 520 KiB of RAM, 4 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class RaspberryPiPico2(Board):
    """Raspberry Pi Pico 2."""

    also_called: ClassVar[tuple[str, ...]] = ("pico_2", "pico2", "rp2350")
    type: Literal["raspberry_pi_pico_2"] = "raspberry_pi_pico_2"
    title: ClassVar[str] = "Raspberry Pi Pico 2"
    family: ClassVar[str] = "cortex_m"
    core: ClassVar[str] = "Cortex-M33"
    ram_bytes: ClassVar[int] = 520 * 1024
    flash_bytes: ClassVar[int] = 4 * 1024 * 1024
    clock_hz: ClassVar[int] = 150_000_000
    cycles_per_mac: ClassVar[float] = 7.0
    source: ClassVar[str] = (
        "Memory and clock: RP2350 data sheet (ten banks that lie one after another, the last 8 KiB of them "
        "usually the stacks). Cycles: unsure, no published measurement was found; taken from the Cortex-M4, "
        "which has the same instructions for 8-bit and 16-bit values."
    )
