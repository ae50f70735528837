"""The feature pyramid network: what coarse maps know is handed down to the fine ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.necks._pyramid import Pyramid


class FPN(Pyramid):
    """A 1x1 convolution of each level, the coarser levels enlarged and added, a 3x3 convolution (Lin et al. 2017).

    Convolutions are followed by normalization and activation, where the paper's are not.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"filters": 6},
        {"filters": 6, "levels": ("P2", "P3", "P4"), "separable": True},
        {"filters": 4, "levels": ("P4", "P5", "P6"), "batch_normalization": False, "activation": "silu"},
    )

    also_called: ClassVar[tuple[str, ...]] = ("feature_pyramid", "feature_pyramid_network")
    type: Literal["fpn"] = "fpn"

    def expand(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the maps of `levels`."""
        found: dict[str, Tensor] = {}
        for name, tensor in self.handed_down(graph, maps).items():
            with graph.block((), name):
                found[name] = self.convolved(graph, tensor)
        return self.further(graph, found)
