"""Espressif microcontrollers with LiteRT Micro: needs a board, `cnnpipe list boards` names them."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.targets._on_board import OnBoard


class Esp32(OnBoard):
    """A board with a chip of Espressif, with LiteRT Micro and the kernels of ESP-NN."""

    also_called: ClassVar[tuple[str, ...]] = ("esp", "espressif", "esp_idf", "esp_nn")
    type: Literal["esp32"] = "esp32"

    title: ClassVar[str] = "Espressif microcontrollers with LiteRT Micro"
    attachments: ClassVar[tuple[str, ...]] = ("microcontroller", "esp_idf", "model_card")
