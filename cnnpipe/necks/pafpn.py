"""The path aggregation network: a feature pyramid, and then a way back up, so that places reach coarse maps quickly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.merge import Add
from cnnpipe.necks._pyramid import Pyramid


class PAFPN(Pyramid):
    """As the feature pyramid; then each finer map, by a convolution of stride 2, is added to the next coarser one.

    Source: Liu et al. 2018, section 3.1.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"filters": 6},
        {"filters": 6, "levels": ("P2", "P3", "P4"), "separable": True},
        {"filters": 4, "levels": ("P4", "P5", "P6"), "batch_normalization": False, "activation": "silu"},
    )

    also_called: ClassVar[tuple[str, ...]] = ("pan", "path_aggregation", "panet")
    type: Literal["pafpn"] = "pafpn"

    def expand(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the maps of `levels`."""
        found: dict[str, Tensor] = {}
        below: Tensor | None = None
        for name, tensor in self.handed_down(graph, maps).items():
            with graph.block((), name):
                tensor = self.convolved(graph, tensor)
                if below is not None:
                    tensor = self.convolved(graph, graph.add(Add(), tensor, self.convolved(graph, below, 2)))
            found[name] = below = tensor
        return self.further(graph, found)
