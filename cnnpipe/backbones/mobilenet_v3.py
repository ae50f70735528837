"""MobileNetV3: searched for phones; variant small or large (Howard et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import IDENTITY, STORAGE, Application, KerasFunction, OfficialFile, OneOf

Variant = Literal["small", "large"]
ALPHAS = (0.75, 1.0)


class MobileNetV3(Application):
    """Inverted residual blocks found by search, with squeeze and excitation and hard activations.

    The network normalizes pixels itself.

    Source: Howard et al. 2019, "Searching for MobileNetV3", tables 1 and 2.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple(
        {"variant": variant, "alpha": alpha, "minimalistic": minimalistic}
        for variant in get_args(Variant)
        for alpha in ALPHAS
        for minimalistic in (False, True)
    )
    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = IDENTITY

    type: Literal["mobilenet_v3"] = "mobilenet_v3"
    variant: Variant = "small"
    """Which of the two published networks."""
    alpha: Annotated[float, OneOf(*ALPHAS)] = 1.0
    """Width of every layer as a share of the published one."""
    minimalistic: bool = False
    """Without squeeze and excitation, hard activations and 5x5 windows, for devices that are slow at them."""

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(
            f"MobileNetV3{self.variant.title()}", {"alpha": self.alpha, "minimalistic": self.minimalistic}
        )

    def official_file(self, size: tuple[int, int]) -> OfficialFile | None:
        """Return the published weights, the same for all input sizes."""
        if self.minimalistic and self.alpha != 1:
            return None
        model = self.variant + "_minimalistic" * self.minimalistic
        name = f"weights_mobilenet_v3_{model}_224_{self.alpha}_float_no_top_v2.h5"
        return OfficialFile(name, f"{STORAGE}/mobilenet_v3/{name}")
