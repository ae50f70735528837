"""Arm Cortex-M microcontrollers with LiteRT Micro: needs a board, `cnnpipe list boards` names them."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.targets._on_board import OnBoard


class CortexM(OnBoard):
    """A board with an Arm Cortex-M, with LiteRT Micro and the kernels of CMSIS-NN."""

    also_called: ClassVar[tuple[str, ...]] = (
        "cortex",
        "cortexm",
        "microcontroller",
        "mcu",
        "micro",
        "stm32",
        "stm32ai",
        "arduino",
        "tflm",
        "tflite_micro",
        "litert_micro",
    )
    type: Literal["cortex_m"] = "cortex_m"

    title: ClassVar[str] = "Arm Cortex-M microcontrollers with LiteRT Micro"
    attachments: ClassVar[tuple[str, ...]] = ("microcontroller", "arduino", "model_card")
