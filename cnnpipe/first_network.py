"""The network of a first recipe for pictures: a pretrained backbone where it pays, else a small one from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MANY_STEPS = 100
"""From how many steps in an epoch on a network from scratch uses BatchNorm."""
SIDES = (96, 128, 160, 192, 224)
"""Heights and widths that there are published weights of MobileNetV2 for."""
BATCH_SIZE = 32
MAPS_AT_ONCE = 8
"""Batch size where every pixel is answered for."""
TRAINING_SHARE = 0.7
"""Share of the examples that the training split has when nobody says otherwise."""


@dataclass(frozen=True)
class FirstNetwork:
    """Sections of a first recipe.

    Args:
        preprocessing: `data.preprocessing` without the colour mode.
        model: `model`.
        training: `training`.
        reason: Why it is this network, as a sentence.
    """

    preprocessing: Mapping[str, Any]
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    reason: str


def first_network(data: Mapping[str, Any]) -> FirstNetwork:
    """Return a network for pictures.

    Args:
        data: What was found, as `Task.starter` gets it: `examples`, `image_size`, `color_mode`, `pretrained`.
    """
    (height, width), examples = data["image_size"], data["examples"]
    size, steps = min(height, width), max(1, round(examples * TRAINING_SHARE / BATCH_SIZE))
    if not data["pretrained"]:
        return _from_scratch(size, steps, "A small network from scratch, as you asked for.")
    if data["color_mode"] != "rgb" or size < min(SIDES):
        kind = "in gray" if data["color_mode"] != "rgb" else f"of only {height}x{width} pixels"
        reason = f"A small network from scratch: pretrained ones know larger colour photos, and these are {kind}."
        return _from_scratch(size, steps, reason)
    return _pretrained(size, steps, examples)


def first_maps(data: Mapping[str, Any]) -> FirstNetwork:
    """Return a network that answers for every pixel: a U-Net.

    Args:
        data: What was found, as `Task.starter` gets it: `examples`, `image_size`.
    """
    (height, width), steps = data["image_size"], max(1, round(data["examples"] * TRAINING_SHARE / MAPS_AT_ONCE))
    side = max([side for side in (64, 96, 128, 160, 192, 224, 256) if side <= min(height, width)], default=64)
    return FirstNetwork(
        {"image_size": [side, side]},
        {
            "blocks": [
                {"type": "conv_relu_pool", "filters": filters, "repeat": 2, "batch_normalization": True}
                for filters in (16, 32, 64, 128)
            ],
            "neck": "unet",
        },
        {
            "epochs": min(100, max(10, 2000 // steps)), "batch_size": MAPS_AT_ONCE,
            "optimizer": {"type": "adam", "learning_rate": 1e-3}, "schedule": "cosine_decay",
        },
        "A small U-Net from scratch: it looks at each pixel and at what is around it.",
    )  # fmt: skip


def first_pyramid(data: Mapping[str, Any]) -> FirstNetwork:
    """Return a network that answers for places of several sizes: a backbone with a feature pyramid.

    Args:
        data: What was found, as `Task.starter` gets it: `examples`, `image_size`, `pretrained`, `color_mode`.
    """
    (height, width), steps = data["image_size"], max(1, round(data["examples"] * TRAINING_SHARE / BATCH_SIZE * 2))
    side = max([side for side in (96, 128, 160, 192, 224, 256, 320) if side <= min(height, width)], default=96)
    pretrained = data["pretrained"] and data["color_mode"] == "rgb"
    blocks = [{"type": "conv_relu_pool", "filters": n, "batch_normalization": True} for n in (16, 32, 64, 96, 128)]
    backbone = {"type": "mobilenet_v2", "alpha": 0.35, "weights": "imagenet"}
    return FirstNetwork(
        {"image_size": [side, side]},
        {**({"backbone": backbone} if pretrained else {"blocks": blocks}), "neck": "pafpn"},
        {
            "epochs": min(150, max(20, 3000 // steps)), "batch_size": BATCH_SIZE // 2,
            "optimizer": {"type": "adamw", "learning_rate": 1e-3}, "schedule": "cosine_decay",
        },
        "A feature pyramid on a small backbone: fine maps for small objects, coarse ones for large objects.",
    )  # fmt: skip


def _from_scratch(size: int, steps: int, reason: str) -> FirstNetwork:
    """Return a small network that is trained for some 2,000 steps.

    Few images mean few steps in an epoch, so more epochs, and no BatchNorm, whose averages would lag behind.
    """
    side = max([side for side in (32, 48, 64, 96, 128) if side <= size], default=32)
    filters = [16, 32, 64, 128][: 3 if side < 64 else 4]
    epochs = min(150, max(20, 2000 // steps))
    normalized = {"batch_normalization": True} if steps > MANY_STEPS else {}
    return FirstNetwork(
        {"image_size": [side, side]},
        {"blocks": [{"type": "conv_relu_pool", "filters": number, **normalized} for number in filters]},
        {
            "epochs": epochs, "batch_size": BATCH_SIZE, "optimizer": {"type": "adam", "learning_rate": 1e-3},
            "early_stopping": {"patience": max(10, epochs // 3)},
        },
        reason,
    )  # fmt: skip


def _pretrained(size: int, steps: int, examples: int) -> FirstNetwork:
    """Return a small pretrained backbone; its head learns first, on features that are computed once.

    The fewer images, the more epochs.
    """
    side = max(side for side in SIDES if side <= size)
    head, tuning = (min(most, max(3, budget // steps)) for most, budget in ((20, 400), (15, 300)))
    return FirstNetwork(
        {"image_size": [side, side], "resize": "crop"},
        {"backbone": {"type": "mobilenet_v2", "alpha": 0.35, "weights": "imagenet"}},
        {
            "batch_size": BATCH_SIZE, "optimizer": {"type": "adam", "learning_rate": 1e-3},
            "phases": [
                {"name": "head", "epochs": head, "freeze": "backbone", "cached_views": 4},
                {"name": "fine_tuning", "epochs": tuning, "freeze": "P4", "learning_rate": 1e-4},
            ],
        },
        f"A MobileNetV2 that knows ImageNet's photos already: it learns these {examples:,} sooner, and mostly better, "
        "than a network that starts from nothing.",
    )  # fmt: skip
