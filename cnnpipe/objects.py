"""Objects as targets and as predictions: what tasks that find them share.

A prediction holds `objects`, the surest first: of each its `label`, its `confidence`, and its `box`: left, top, right,
bottom in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from cnnpipe.annotations import Box
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.heads._detection import Candidates, ObjectHead
from cnnpipe.model import Model
from cnnpipe.placement import Placement
from cnnpipe.task import Arrays, Facts, Places, Prediction, Score, Scores

if TYPE_CHECKING:
    import numpy as np

    from cnnpipe.metrics.average_precision import Objects, Precision

PADDING = -1
"""The label of a row that holds no object."""
LOOKED_AT = 10
"""How many candidates are looked at for each object that may be given: several stand for the same one."""
SAME_OBJECT = 0.5
"""From which overlap on two boxes of a class are taken for the same object."""
Suppression = Literal["per_class", "across_classes"]


def network(
    head: ObjectHead, model: Model, facts: Facts, place_of: Places, classes: int, learning: bool = False
) -> Graph:
    """Return the network: normalization, the model with its neck, the head.

    Args:
        head: The head.
        model: The model.
        facts: What is known of the data.
        place_of: Gives places.
        classes: How many classes there are.
        learning: Whether the network has what only the loss reads too.
    """
    graph = GraphBuilder(place_of)
    with graph.block(("data", "preprocessing"), "input"):
        image = graph.input("image", facts.preprocessing.input_shape())
        normalized = facts.preprocessing.input_nodes(graph, image)
    maps = model.expand_maps(graph, normalized)
    with graph.block(("task", "head"), "head"):
        outputs = head.expand(graph, maps, classes, size(facts), learning)
    return graph.build(outputs)


def size(facts: Facts) -> tuple[int, int]:
    """Return height and width of the network's input."""
    height, width, _ = facts.preprocessing.input_shape()
    return height, width


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def encoded(bounding_boxes: Mapping[str, Any], positions: Sequence[int], max_boxes: int) -> dict[str, np.ndarray]:
    """Return boxes (max_boxes, 4) as `xyxy`, labels, and which are crowds; rows without object have label -1.

    Args:
        bounding_boxes: What a raw example says.
        positions: For each class of the source its number.
        max_boxes: How many rows there are.

    Raises:
        ValueError: There are more boxes, or a label is no class.
    """
    import numpy as np

    found, numbers = len(bounding_boxes["boxes"]), np.array(positions, np.int32)
    given = np.asarray(bounding_boxes["labels"], np.int32)
    if found > max_boxes:
        raise ValueError(f"it has {found} boxes, and task.max_boxes is {max_boxes}")
    if found and not 0 <= given.min() <= given.max() < len(numbers):
        raise ValueError(f"its labels are {sorted(set(given.tolist()))}, and there are {len(numbers)} classes")
    boxes, labels = np.zeros((max_boxes, 4), np.float32), np.full(max_boxes, PADDING, np.int32)
    crowd = np.zeros(max_boxes, np.int32)
    boxes[:found], labels[:found] = bounding_boxes["boxes"], numbers[given]
    crowd[:found] = bounding_boxes.get("crowd", 0)
    return {"boxes": boxes, "labels": labels, "crowd": crowd}


# ── predictions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def kept(found: Candidates, suppression: Suppression, iou_threshold: float, most: int) -> np.ndarray:
    """Return which candidates are given, the surest first: none that repeats a surer one.

    Args:
        found: What the head says.
        suppression: Whether boxes of other classes count as repeated.
        iou_threshold: A box that overlaps a surer one more than this repeats it.
        most: How many are given at most.
    """
    import numpy as np

    from cnnpipe.boxes.suppression import non_max_suppression

    groups = found.labels if suppression == "per_class" else np.zeros_like(found.labels)
    return non_max_suppression(found.boxes, found.scores, groups, iou_threshold, most, LOOKED_AT * most)


def objects(found: Candidates, rows: np.ndarray, names: Sequence[str], size: tuple[int, int]) -> list[dict[str, Any]]:
    """Return candidates as predictions, their boxes cut off at the edges of the input."""
    import numpy as np

    height, width = size
    boxes = np.clip(found.boxes[rows], 0, (width, height, width, height)).tolist()
    said = zip(found.labels[rows].tolist(), found.scores[rows].tolist(), boxes, strict=True)
    return [{"label": names[label], "confidence": score, "box": box} for label, score, box in said]


def listed(outputs: Arrays, names: Sequence[str], size: tuple[int, int]) -> Iterator[list[dict[str, Any]]]:
    """Yield the predicted objects of each example of a file that lists them.

    Args:
        outputs: `location` (n, rows, 4) as top, left, bottom, right in shares of the input, `category` and `score` (n,
            rows), `count` (n,): how many rows are objects.
        names: The class names.
        size: Height and width of the network's input.
    """
    import numpy as np

    height, width = size
    boxes = np.asarray(outputs["location"], float)[..., [1, 0, 3, 2]] * (width, height, width, height)
    for row, number in enumerate(np.rint(outputs["count"]).astype(int)):
        found = zip(outputs["category"][row], outputs["score"][row], boxes[row].tolist(), strict=True)
        said = [{"label": names[round(float(k))], "confidence": float(s), "box": box} for k, s, box in found]
        yield said[: max(number, 0)]


def boxes_of(objects: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the boxes of predicted objects, `(n, 4)`."""
    import numpy as np

    return np.array([thing["box"] for thing in objects], np.float32).reshape(-1, 4)


def sure(prediction: Prediction, threshold: float) -> list[Mapping[str, Any]]:
    """Return the objects that are as sure as the threshold."""
    return [thing for thing in prediction["objects"] if thing["confidence"] >= threshold]


def alike(first: Prediction, second: Prediction, threshold: float) -> bool:
    """Return whether what one is sure of the other finds too, of the same class and at the same place."""
    from cnnpipe.boxes.overlaps import overlap

    for one, other in ((first, second), (second, first)):
        for thing in sure(one, threshold):
            boxes = boxes_of([known for known in other["objects"] if known["label"] == thing["label"]])
            if overlap(boxes, boxes_of([thing])).max(initial=0) < SAME_OBJECT:
                return False
    return True


def restored(prediction: Prediction, placement: Placement) -> dict[str, Any]:
    """Return a prediction with its boxes in pixels of the picture."""
    boxes = placement.restore_boxes(boxes_of(prediction["objects"])).tolist()
    rows = [{**thing, "box": box} for thing, box in zip(prediction["objects"], boxes, strict=True)]
    return {**prediction, "objects": rows}


def drawn(objects: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Box]:
    """Return boxes with captions, the surest last, so that it lies on top."""
    return [
        Box(tuple(thing["box"]), names.index(thing["label"]), f"{thing['label']} {thing['confidence']:.2f}")
        for thing in reversed(objects)
    ]


# ── scores ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def said_objects(prediction: Prediction, names: Sequence[str]) -> Objects:
    """Return a prediction as the metric takes it."""
    import numpy as np

    from cnnpipe.metrics.average_precision import Objects

    given = prediction["objects"]
    labels = np.array([names.index(thing["label"]) for thing in given], int)
    return Objects(boxes_of(given), labels, np.array([thing["confidence"] for thing in given], float))


def true_objects(truth: Arrays) -> list[Objects]:
    """Return the truth of each example as the metric takes it."""
    from cnnpipe.metrics.average_precision import Objects

    rows = zip(truth["boxes"], truth["labels"], truth["crowd"], strict=True)
    return [
        Objects(boxes[labels != PADDING], labels[labels != PADDING], crowd=crowd[labels != PADDING] > 0)
        for boxes, labels, crowd in rows
    ]


def precision_scores(found: Precision, names: Sequence[str], n: int) -> Scores:
    """Return mAP@50 and mAP@50:95 of n examples, the average precision of each class, and precision-recall."""
    from cnnpipe.metrics.average_precision import RECALLS

    metrics = {
        "map_50": Score(found.map50 or 0.0, n, found.interval50),
        "map_50_95": Score(found.map50_95 or 0.0, n, found.interval50_95),
    }
    rows = zip(names, found.objects, found.classes, strict=True)
    per_class = {
        name: {"n": count, "ap_50": values and values[0], "ap_50_95": values and values[1]}
        for name, count, values in rows
    }
    curves = dict(zip(names, found.curves, strict=True))
    return Scores(metrics, {
        "per_class": per_class, "precision_recall": {"recall": RECALLS.tolist(), "precision": curves},
    })  # fmt: skip
