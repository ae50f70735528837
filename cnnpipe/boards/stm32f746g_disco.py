"""ST STM32F746G-DISCO: Cortex-M7, 320 KiB of RAM, 1 MiB of flash."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.boards import Board


class Stm32F746GDisco(Board):
    """STM32F746G-DISCO."""

    also_called: ClassVar[tuple[str, ...]] = ("stm32f746", "stm32f746g", "stm32f7")
    type: Literal["stm32f746g_disco"] = "stm32f746g_disco"
    title: ClassVar[str] = "STM32F746G-DISCO"
    family: ClassVar[str] = "cortex_m"
    core: ClassVar[str] = "Cortex-M7"
    ram_bytes: ClassVar[int] = 320 * 1024
    flash_bytes: ClassVar[int] = 1024 * 1024
    clock_hz: ClassVar[int] = 216_000_000
    cycles_per_mac: ClassVar[float] = 1.7
    source: ClassVar[str] = (
        "Memory and clock: STM32F746 data sheet (64 KiB of DTCM, 240 KiB of SRAM1 and 16 KiB of SRAM2 lie one"
        " after another). Cycles: ST's measurements of MobileNetV1 0.25 at 96x96 and ResNet-8 on an STM32H747"
        " give 1.6 and 0.9 with ST's own kernels; CMSIS-NN's paper (Lai et al. 2018, table 1) gives 1.7 on a "
        "Cortex-M7."
    )
