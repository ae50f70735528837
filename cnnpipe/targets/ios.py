"""iPhones and iPads with MediaPipe Tasks."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.targets._phone import Phone


class Ios(Phone):
    """A phone or tablet with iOS, with MediaPipe Tasks: labels and normalization are in the file."""

    also_called: ClassVar[tuple[str, ...]] = ("iphone", "ipad", "apple", "swift")
    type: Literal["ios"] = "ios"

    title: ClassVar[str] = "iPhones and iPads with MediaPipe Tasks"
    attachments: ClassVar[tuple[str, ...]] = ("swift", "model_card")
