"""Arduino Nicla Vision: Cortex-M7, 512 KiB of RAM in one piece, 2 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class NiclaVision(Board):
    """Arduino Nicla Vision."""

    also_called: ClassVar[tuple[str, ...]] = ("nicla", "nicla_me", "arduino_nicla_vision")
    type: Literal["nicla_vision"] = "nicla_vision"
    title: ClassVar[str] = "Arduino Nicla Vision"
    family: ClassVar[str] = "cortex_m"
    core: ClassVar[str] = "Cortex-M7"
    ram_bytes: ClassVar[int] = 512 * 1024
    flash_bytes: ClassVar[int] = 2 * 1024 * 1024
    clock_hz: ClassVar[int] = 480_000_000
    cycles_per_mac: ClassVar[float] = 1.6
    source: ClassVar[str] = (
        "Memory and clock: STM32H747 data sheet; of its 1 MiB of RAM the AXI SRAM of 512 KiB is the largest "
        "piece (camera pictures and Arduino's core lie there too), and Arduino's bootloader and second core "
        "take part of the flash. Cycles: ST's measurements of MobileNetV1 0.25 at 96x96 and ResNet-8 on an "
        "STM32H747 give 1.6 and 0.9 with ST's own kernels; CMSIS-NN's paper (Lai et al. 2018, table 1) gives "
        "1.7 on a Cortex-M7."
    )
