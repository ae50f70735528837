"""Nvidia Jetson with Linux: LiteRT, or ONNX for TensorRT."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.targets._linux import Linux


class Jetson(Linux):
    """A Jetson with Linux.

    LiteRT runs on its processor. For its GPU an item with `format: onnx` writes another file, which `trtexec` on the
    board compiles; both items may stand in one recipe.
    """

    also_called: ClassVar[tuple[str, ...]] = ("nvidia", "tensorrt", "orin", "xavier", "cuda")
    type: Literal["jetson"] = "jetson"

    title: ClassVar[str] = "Nvidia Jetson with Linux: LiteRT, or ONNX for TensorRT"
