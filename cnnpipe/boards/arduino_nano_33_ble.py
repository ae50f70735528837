"""Arduino Nano 33 BLE and BLE Sense: Cortex-M4F, 256 KiB of RAM, 1 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class ArduinoNano33Ble(Board):
    """Arduino Nano 33 BLE, BLE Sense."""

    also_called: ClassVar[tuple[str, ...]] = (
        "nano",
        "nano_33",
        "nano_33_ble",
        "nano_33_ble_sense",
        "arduino_nano_33_ble_sense",
        "arduino_nano",
        "nrf52840",
    )
    type: Literal["arduino_nano_33_ble"] = "arduino_nano_33_ble"
    title: ClassVar[str] = "Arduino Nano 33 BLE, BLE Sense"
    family: ClassVar[str] = "cortex_m"
    core: ClassVar[str] = "Cortex-M4F"
    ram_bytes: ClassVar[int] = 256 * 1024
    flash_bytes: ClassVar[int] = 1024 * 1024
    clock_hz: ClassVar[int] = 64_000_000
    cycles_per_mac: ClassVar[float] = 7.0
    source: ClassVar[str] = (
        "Memory and clock: nRF52840 product specification (RAM is one piece; Arduino's core and Bluetooth "
        "take some 50 KiB of it, its bootloader 64 KiB of the flash). Cycles: the first MLPerf Tiny reference"
        " runs (Banbury et al. 2021) on a Cortex-M4 give 7 to 10 with LiteRT Micro and CMSIS-NN; ST's own "
        "kernels are three times faster."
    )
