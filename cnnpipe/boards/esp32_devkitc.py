"""Espressif ESP32-DevKitC: Xtensa LX6, 160 KiB of RAM in one piece, 4 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class Esp32DevKitC(Board):
    """ESP32-DevKitC."""

    also_called: ClassVar[tuple[str, ...]] = ("esp32", "esp32_wroom", "esp32_devkit")
    type: Literal["esp32_devkitc"] = "esp32_devkitc"
    title: ClassVar[str] = "ESP32-DevKitC"
    family: ClassVar[str] = "esp32"
    core: ClassVar[str] = "Xtensa LX6"
    ram_bytes: ClassVar[int] = 160 * 1024
    flash_bytes: ClassVar[int] = 4 * 1024 * 1024
    clock_hz: ClassVar[int] = 240_000_000
    cycles_per_mac: ClassVar[float] = 12.7
    source: ClassVar[str] = (
        "Memory: ESP-IDF's page on memory types (of 320 KiB of data RAM at most 160 KiB can be one static "
        "piece; flash as of the usual WROOM-32E module). Clock: ESP32 data sheet. Cycles: 380 ms for LiteRT "
        "Micro's person detection with ESP-NN, as the readme of esp-tflite-micro says."
    )
