"""ST STM32H747I-DISCO: Cortex-M7, 512 KiB of RAM in one piece, 2 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class Stm32H747IDisco(Board):
    """STM32H747I-DISCO."""

    also_called: ClassVar[tuple[str, ...]] = ("stm32h747", "stm32h7", "stm32h747i")
    type: Literal["stm32h747i_disco"] = "stm32h747i_disco"
    title: ClassVar[str] = "STM32H747I-DISCO"
    family: ClassVar[str] = "cortex_m"
    core: ClassVar[str] = "Cortex-M7"
    ram_bytes: ClassVar[int] = 512 * 1024
    flash_bytes: ClassVar[int] = 2 * 1024 * 1024
    clock_hz: ClassVar[int] = 400_000_000
    cycles_per_mac: ClassVar[float] = 1.6
    source: ClassVar[str] = (
        "Memory: STM32H747 data sheet; of its 1 MiB of RAM the AXI SRAM of 512 KiB is the largest piece (the "
        "board's slow external SDRAM of 32 MiB does not count). Clock: that of ST's measurements; the chip "
        "reaches 480 MHz. Cycles: ST's measurements of MobileNetV1 0.25 at 96x96 and ResNet-8 on an STM32H747"
        " give 1.6 and 0.9 with ST's own kernels; CMSIS-NN's paper (Lai et al. 2018, table 1) gives 1.7 on a "
        "Cortex-M7."
    )
