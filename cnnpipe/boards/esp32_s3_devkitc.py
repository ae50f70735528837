"""Espressif ESP32-S3-DevKitC-1: Xtensa LX7 with vector instructions, 333 KiB of RAM in one piece, 8 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class Esp32S3DevKitC(Board):
    """ESP32-S3-DevKitC-1."""

    also_called: ClassVar[tuple[str, ...]] = ("esp32_s3", "esp32s3", "s3", "esp32_s3_devkit")
    type: Literal["esp32_s3_devkitc"] = "esp32_s3_devkitc"
    title: ClassVar[str] = "ESP32-S3-DevKitC-1"
    family: ClassVar[str] = "esp32"
    core: ClassVar[str] = "Xtensa LX7"
    ram_bytes: ClassVar[int] = 341_760
    flash_bytes: ClassVar[int] = 8 * 1024 * 1024
    clock_hz: ClassVar[int] = 240_000_000
    cycles_per_mac: ClassVar[float] = 1.8
    source: ClassVar[str] = (
        "Memory: the segment for data and instructions that ESP-IDF's linker script gives to programs, of 512"
        " KiB of SRAM (code that runs from RAM lies there too; PSRAM is slow and does not count); flash as of"
        " the N8 module. Clock: ESP32-S3 data sheet. Cycles: 54 ms for LiteRT Micro's person detection with "
        "ESP-NN, as the readme of esp-tflite-micro says."
    )
