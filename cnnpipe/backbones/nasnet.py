"""NASNet: cells that were found by search; variant mobile or large (Zoph et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from cnnpipe.backbones import Normalization
from cnnpipe.backbones._application import STORAGE, SYMMETRIC, Application, KerasFunction, OfficialFile

Variant = Literal["mobile", "large"]


class NASNet(Application):
    """Cells of separable convolutions and poolings found by search.

    Source: Zoph et al. 2018, "Learning transferable architectures for scalable image recognition", figure 4.
    """

    variants: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"variant": variant} for variant in get_args(Variant))
    licence: ClassVar[str] = "Apache-2.0 (Google)"
    pixels: ClassVar[Normalization] = SYMMETRIC

    type: Literal["nasnet"] = "nasnet"
    variant: Variant = "mobile"
    """Which of the two published sizes."""

    @property
    def keras_function(self) -> KerasFunction:
        """What makes the same network in Keras."""
        return KerasFunction(f"NASNet{self.variant.title()}", {})

    def official_file(self, size: tuple[int, int]) -> OfficialFile:
        """Return the published weights, the same for all input sizes."""
        return OfficialFile(f"nasnet_{self.variant}_no_top.h5", f"{STORAGE}/nasnet/NASNet-{self.variant}-no-top.h5")
