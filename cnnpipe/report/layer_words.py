"""Layers in few words, as pictures and tables have room for: `3x3 convolution 64, strides 2, BatchNorm, relu`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnnpipe.graph import Graph, Node
from cnnpipe.graph.arithmetic import text

SHORT: Mapping[str, str] = {
    "batch_normalization": "BatchNorm",
    "layer_normalization": "LayerNorm",
    "group_normalization": "GroupNorm",
    "channel_scale": "scale per channel",
    "stochastic_depth": "stochastic depth",
    "global_average_pooling": "global average pooling",
    "add": "+",
    "multiply": "x",
}
"""Kinds that need no options, or none that matter here."""
UNSAID = frozenset({"zero_padding", "centered_padding"})
SIZES, BARE, PLAIN = ("kernel_size", "pool_size", "patch_size"), ("filters", "units"), ("rate", "activation")
NAMED = ("strides", "groups", "dilation_rate", "depth_multiplier", "num_heads", "key_dim", "size")
USUAL: Mapping[str, Any] = {"groups": 1, "dilation_rate": 1, "depth_multiplier": 1, "strides": 1}


def step_words(graph: Graph, positions: Sequence[int]) -> str:
    """Return the words for a layer and what belongs to it."""
    words = [words for position in positions if (words := layer_words(graph, graph.nodes[position]))]
    return ", ".join(words) or graph.nodes[positions[0]].type.kind.replace("_", " ")


def layer_words(graph: Graph, node: Node) -> str:
    """Return the words for one layer; empty for those that say nothing, such as padding."""
    kind = node.type.kind
    if kind in UNSAID:
        return ""
    config = node.type.keras_layer(*graph.input_shapes(node)).config
    if kind == "activation":
        return "" if config["activation"] == "linear" else str(config["activation"])
    if kind in SHORT:
        return SHORT[kind]
    return " ".join(_parts(kind.replace("_", " "), config, len(node.shape) - 1))


def _parts(kind: str, config: Mapping[str, Any], rank: int) -> Iterator[str]:
    for key in SIZES:
        if key in config:
            yield text(_axes(config[key], rank))
    named = [f"{key.replace('_', ' ')} {_named(config[key])}" for key in NAMED if _is_told(key, config)]
    bare = [f"{config[key]:g}" if isinstance(config[key], float) else str(config[key]) for key in BARE if key in config]
    plain = [
        f"{config[key]:g}" if isinstance(config[key], float) else str(config[key]) for key in PLAIN if key in config
    ]
    yield " ".join([kind, *bare, *plain]) + "".join(f", {words}" for words in named)


def _is_told(key: str, config: Mapping[str, Any]) -> bool:
    if key not in config or config[key] is None:
        return False
    if key == "strides" and "pool_size" in config:
        return bool(config["strides"] != config["pool_size"])
    values = config[key] if isinstance(config[key], (tuple, list)) else (config[key],)
    return any(value != USUAL.get(key) for value in values)


def _named(value: Any) -> str:
    values = value if isinstance(value, (tuple, list)) else (value,)
    return str(values[0]) if len(set(values)) == 1 else text(tuple(values))


def _axes(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
