"""What the truth of an example holds besides its labels: boxes and masks, counted, and as they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnpipe.annotations import Annotations, Box
from cnnpipe.datasets import IGNORED

if TYPE_CHECKING:
    import numpy as np

KEYS = frozenset({"bounding_boxes", "segmentation_masks", "instance_masks"})


@dataclass(frozen=True)
class Objects:
    """The boxes of one picture.

    Args:
        boxes: `(n, 4)` as `xyxy` in pixels of the picture.
        labels: `(n,)`, positions in the source's class names.
        crowd: `(n,)`, which stand for groups.
        placed: `(m, 4)`, those of which something is seen in the network's input, in its pixels.
    """

    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    placed: np.ndarray


@dataclass(frozen=True)
class Truth:
    """Boxes and masks of one example; None for what the task does not need.

    Args:
        objects: Its boxes.
        pixels: How many pixels of the network's input show none of the classes, each class, and are ignored.
    """

    objects: Objects | None = None
    pixels: tuple[int, ...] | None = None


def truth_of(
    example: Mapping[str, Any], placed: Mapping[str, Any], needs: frozenset[str], classes: int
) -> Truth | None:
    """Return what a task needs of the truth of one example; None when that is neither boxes nor masks.

    Args:
        example: As the source gives it.
        placed: The same with boxes and masks in the network's input.
        needs: The keys that the task needs.
        classes: How many classes the source has.
    """
    import numpy as np

    objects, pixels = None, None
    if "bounding_boxes" in needs & example.keys():
        boxes = example["bounding_boxes"]
        crowd = boxes.get("crowd", np.zeros(len(boxes["labels"]), bool))
        objects = Objects(boxes["boxes"], boxes["labels"], crowd, placed["bounding_boxes"]["boxes"])
    if "segmentation_masks" in needs & example.keys():
        counts = np.bincount(placed["segmentation_masks"].reshape(-1), minlength=IGNORED + 1).tolist()
        pixels = (*counts[: classes + 1], counts[IGNORED])
    return None if objects is None and pixels is None else Truth(objects, pixels)


def shown_truth(placed: Mapping[str, Any], needs: frozenset[str], class_names: Sequence[str]) -> Annotations | None:
    """Return what is drawn over the network's input to show the truth; None when there is nothing to draw.

    Args:
        placed: An example with boxes and masks in the network's input, or one from a batch of training.
        needs: The keys that the task needs.
        class_names: Those of the source.
    """
    wanted = needs & placed.keys()
    boxes: Sequence[Box] = ()
    if "bounding_boxes" in wanted:
        found = placed["bounding_boxes"]
        rows = zip(found["boxes"].tolist(), found["labels"].tolist(), strict=True)
        boxes = [Box(tuple(corners), label, class_names[label]) for corners, label in rows if label >= 0]
    instances = placed["instance_masks"] if "instance_masks" in wanted else None
    classes = placed["segmentation_masks"] if "segmentation_masks" in wanted and instances is None else None
    if not wanted & KEYS:
        return None
    return Annotations(boxes, classes, instances, class_names)


def batch_of(examples: Sequence[Mapping[str, Any]], needs: frozenset[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the boxes and masks of placed examples as targets of a batch, and their keys for augmentation."""
    import numpy as np

    targets: dict[str, Any] = {}
    wanted = needs & KEYS
    for key in sorted(wanted - {"bounding_boxes"}):
        targets[key] = np.stack([example[key][..., None] for example in examples])
    if "bounding_boxes" in wanted:
        most = max(1, *(len(example["bounding_boxes"]["labels"]) for example in examples))
        boxes = np.zeros((len(examples), most, 4), np.float32)
        labels = np.full((len(examples), most), -1, np.int32)
        for row, example in enumerate(examples):
            found = example["bounding_boxes"]
            boxes[row, : len(found["labels"])], labels[row, : len(found["labels"])] = found["boxes"], found["labels"]
        targets |= {"bounding_boxes.boxes": boxes, "bounding_boxes.labels": labels}
    return targets, {key: key for key in targets}


def from_batch(targets: Mapping[str, Any], row: int) -> dict[str, Any]:
    """Return one example of a batch of such targets; rows of boxes that are padding have the label -1."""
    found: dict[str, Any] = {key: targets[key][row][..., 0] for key in KEYS - {"bounding_boxes"} if key in targets}
    if "bounding_boxes.boxes" in targets:
        parts = {part: targets[f"bounding_boxes.{part}"][row] for part in ("boxes", "labels")}
        found["bounding_boxes"] = parts
    return found
