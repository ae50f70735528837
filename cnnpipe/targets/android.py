"""Android phones with MediaPipe Tasks."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.targets._phone import Phone


class Android(Phone):
    """A phone with Android, with MediaPipe Tasks: labels and normalization are in the file."""

    also_called: ClassVar[tuple[str, ...]] = ("phone", "mobile", "mlkit", "ml_kit", "pixel", "kotlin", "mediapipe")
    type: Literal["android"] = "android"

    title: ClassVar[str] = "Android phones with MediaPipe Tasks"
    attachments: ClassVar[tuple[str, ...]] = ("kotlin", "model_card")
