"""Raspberry Pi Pico: Cortex-M0+, 264 KiB of RAM, 2 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class RaspberryPiPico(Board):
    """Raspberry Pi Pico."""

    also_called: ClassVar[tuple[str, ...]] = ("pico", "pico_w", "rp2040")
    type: Literal["raspberry_pi_pico"] = "raspberry_pi_pico"
    title: ClassVar[str] = "Raspberry Pi Pico"
    family: ClassVar[str] = "cortex_m"
    core: ClassVar[str] = "Cortex-M0+"
    ram_bytes: ClassVar[int] = 264 * 1024
    flash_bytes: ClassVar[int] = 2 * 1024 * 1024
    clock_hz: ClassVar[int] = 125_000_000
    cycles_per_mac: ClassVar[float] = 15.0
    source: ClassVar[str] = (
        "Memory: RP2040 data sheet (six banks that lie one after another, the last 8 KiB of them usually the "
        "stacks). Clock: the SDK's standard; the chip is rated for 133 MHz. Cycles: unsure, no published "
        "measurement was found; this core has no instruction for several values at once, so about twice those"
        " of a Cortex-M4 are assumed, for one of its two cores."
    )
